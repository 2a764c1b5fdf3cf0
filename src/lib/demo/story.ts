import {
  askToken,
  createInstallation,
  gateOf,
  missing,
  postData,
  postUntil,
  readings,
  refused,
  untilAdopted,
  type Cast,
  type Outcome,
} from './acts.js'
import { askGate } from './http.js'
import { memoryFlash, ReferenceLogger, wayTo } from './logger.js'
import type { Stage } from './stage.js'

/** One step of the story: its heading, and the work. */
export interface Step {
  title: string
  play: (stage: Stage, cast: Cast) => Promise<Outcome>
}

const DEVICES = 5
const INSTALLER = 'installer@example.com'
const INSTALLER_PASSWORD = 'a long passphrase for the demo'

const FACTORY_CSV = [
  'serial,model,batch,manufacturedAt',
  ...Array.from(
    { length: DEVICES },
    (_, index) => `CDX-00012${index + 3},CleverDx,B-2026-11,2026-11-02`,
  ),
  '',
].join('\n')

/** The whole story, in order. */
export const story: readonly Step[] = [
  {
    title: 'An empty home: database, keyring and signing keys',
    play: async (stage) => {
      await stage.must('init')
      const status = await stage.must('database', 'status')
      return {
        seen: `embedded PostgreSQL ${String(status.version)}, no server set up`,
        passed: true,
      }
    },
  },
  {
    title: 'The factory reports what it made',
    play: async (stage) => {
      const csv = await stage.write('factory.csv', FACTORY_CSV)
      const report = await stage.must(
        'device',
        'import',
        csv,
        '--secrets-out',
        stage.path('secrets.csv'),
      )
      return {
        seen: `${String(report.imported)} devices registered; their secrets are in secrets.csv (0600), the database has digests`,
        passed: report.imported === DEVICES,
      }
    },
  },
  {
    title: 'Two plants, an API key each, and a person with the mobile app',
    play: async (stage) => {
      await createInstallation(stage, 'solar-0042', 'Almeria 42')
      await createInstallation(stage, 'solar-0043', 'Almeria 43')
      const password = await stage.write('password.txt', `${INSTALLER_PASSWORD}\n`)
      await stage.must(
        'installer',
        'add',
        INSTALLER,
        '--name',
        'Installer',
        '--password-file',
        password,
      )
      await stage.must('installer', 'assign', INSTALLER, 'solar-0042')
      return {
        seen: `solar-0042 and solar-0043; ${INSTALLER} may install at solar-0042`,
        passed: true,
      }
    },
  },
  {
    title: 'The gate opens',
    play: async (stage, cast) => {
      cast.gate = await stage.startGate()
      return {
        seen: `https://${cast.gate.host}:${cast.gate.port}, TLS verified by the logger`,
        passed: true,
      }
    },
  },
  {
    title: 'The app installs CDX-000123 at solar-0042',
    play: async (_stage, cast) => {
      const login = await askGate(gateOf(cast), {
        method: 'POST',
        path: '/v1/app/login',
        body: { email: INSTALLER, password: INSTALLER_PASSWORD },
      })
      const placed = await askGate(gateOf(cast), {
        method: 'POST',
        path: '/v1/app/placements',
        headers: { authorization: `Bearer ${String(login.body.token)}` },
        body: { serial: 'CDX-000123', installation: 'solar-0042' },
      })
      return {
        seen: `login ${login.status}, placement ${placed.status}`,
        passed: login.status === 200 && placed.status === 201,
      }
    },
  },
  {
    title: 'The logger fetches its token and posts readings',
    play: async (stage, cast) => {
      const secrets = new Map(
        (await stage.read('secrets.csv'))
          .split('\n')
          .slice(1)
          .map((line) => {
            const [serial = '', secret = ''] = line.split(',')
            return [serial, secret]
          }),
      )
      cast.logger = new ReferenceLogger({
        ask: wayTo(gateOf(cast)),
        flash: memoryFlash({
          serial: 'CDX-000123',
          secret: secrets.get('CDX-000123') ?? '',
          apiKey: await stage.read('key-0042.txt'),
        }),
      })
      const answer = await cast.logger.post(readings(8))
      const again = await cast.logger.post(readings(1))
      return {
        seen: `${answer.status} accepted ${String(answer.body.accepted)}, then ${again.status}`,
        passed: answer.status === 202 && answer.body.accepted === 8 && again.status === 202,
      }
    },
  },
  {
    title: 'Refused: a wrong API key',
    play: async (stage, cast) => {
      await stage.must('token', 'issue', 'CDX-000123', '--output', stage.path('token.txt'))
      const key = await stage.read('key-0042.txt')
      const wrong = `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`
      return refused(
        stage,
        401,
        'K_UNKNOWN',
        await postData(cast, wrong, await stage.read('token.txt')),
      )
    },
  },
  {
    title: 'Refused: a token that is over',
    play: async (stage, cast) => {
      await stage.must(
        'token',
        'issue',
        'CDX-000123',
        '--ttl',
        '1s',
        '--output',
        stage.path('short.txt'),
      )
      await new Promise((resolve) => setTimeout(resolve, 2_000)) // longer than the token lives
      const answer = await postData(
        cast,
        await stage.read('key-0042.txt'),
        await stage.read('short.txt'),
      )
      return refused(stage, 401, 'T_EXPIRED', answer)
    },
  },
  {
    title: 'Refused: a device that was never manufactured',
    play: async (stage, cast) =>
      refused(stage, 403, 'D_NOT_MANUFACTURED', await askToken(stage, cast, 'CDX-999999')),
  },
  {
    title: 'Refused: a device that nobody installed',
    play: async (stage, cast) =>
      refused(stage, 403, 'I_NONE', await askToken(stage, cast, 'CDX-000124')),
  },
  {
    title: 'Refused: the API key of another plant',
    play: async (stage, cast) => {
      const answer = await postData(
        cast,
        await stage.read('key-0043.txt'),
        await stage.read('token.txt'),
      )
      return refused(stage, 401, 'X_SITE_MISMATCH', answer)
    },
  },
  {
    title: 'The API key is rotated while the logger goes on',
    play: async (stage, cast) => {
      const logger = cast.logger ?? missing('logger')
      const rotation = stage.must(
        'api-key',
        'rotate',
        'solar-0042',
        ...['--grace', '0', '--require-adoption', '100%', '--hard-deadline', '14d'],
        ...['--output', stage.path('key2.txt')],
      )
      const meanwhile = await postUntil(rotation, logger)
      const handedOver = await logger.post(readings(1))
      const fresh = await logger.post(readings(1))
      const statuses = [...meanwhile, handedOver.status, fresh.status]
      return {
        seen: `${statuses.length} posts, none refused; the gate handed the new key to the logger in its answer`,
        passed: statuses.every((status) => status === 202),
      }
    },
  },
  {
    title: 'The old key ends when every logger was seen with the new one',
    play: async (stage) => {
      const status = await untilAdopted(stage, 'solar-0042')
      const { apiKeys } = await stage.must('api-key', 'list', 'solar-0042')
      const states = Array.isArray(apiKeys) ? (apiKeys as { state: string }[]) : []
      return {
        seen: `adopted by ${status.adopted} of ${status.devices}, old key ${states[1]?.state ?? 'unknown'}`,
        passed: status.adopted === 1 && status.devices === 1 && states[1]?.state === 'RETIRED',
      }
    },
  },
  {
    title: 'The trail of all this is whole',
    play: async (stage) => {
      const verdict = await stage.must('trail', 'verify')
      return { seen: `${String(verdict.rows)} entries, hash chain unbroken`, passed: true }
    },
  },
]
