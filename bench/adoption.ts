import { readFileSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pLimit from 'p-limit'
import { apiKeyDigest, generateApiKey } from '../src/lib/api-key/format.js'
import { systemRandom } from '../src/lib/clock.js'
import type { GateAddress, GateAnswer } from '../src/lib/demo/http.js'
import { memoryFlash, ReferenceLogger, type Ask } from '../src/lib/demo/logger.js'
import { quietEnvironment, runAside, runOnce, type Chapter } from './measure.js'
import { startServer, type Plant } from './plant.js'
import type { Cluster } from './throwaway-cluster.js'

const INSTALLATIONS = 1_000
const LOGGERS_EACH = 10
const CONNECTIONS = 32
/** The measurement is given up after so long. */
const PATIENCE_MS = 15 * 60_000
const DATABASE = 'bench_adoption'

/**
 * Rotates the key of every installation while all of its loggers go on posting, and waits until the last
 * former key was retired because the last logger had the new one.
 */
export async function measureAdoption(
  program: readonly string[],
  cluster: Cluster,
  directory: string,
): Promise<Chapter> {
  const fleet = prepareFleet(program, cluster, directory)
  const gate = await startServer(gateCommand(program, fleet.plant), fleet.plant)
  const agent = new Agent({
    keepAlive: true,
    maxSockets: CONNECTIONS,
    ca: gate.address.certificate,
  })
  try {
    const loggers = fleet.loggers.map((memory) => {
      const flash = memoryFlash(memory)
      return new ReferenceLogger({ ask: keptWay(gate.address, agent), flash })
    })
    const limit = pLimit(CONNECTIONS)
    const tokens = await limit.map(loggers, (logger) => logger.fetchToken())
    const refused = tokens.filter(({ status }) => status !== 200)
    if (refused.length > 0) throw new Error(`${refused.length} loggers got no token`)
    return await rotateUnderLoad(program, cluster, fleet.plant, loggers)
  } finally {
    agent.destroy()
    await gate.stop()
  }
}

async function rotateUnderLoad(
  program: readonly string[],
  cluster: Cluster,
  plant: Plant,
  loggers: readonly ReferenceLogger[],
): Promise<Chapter> {
  const limit = pLimit(CONNECTIONS)
  const began = performance.now()
  const seconds = () => (performance.now() - began) / 1_000
  let rotatedAfter = 0
  const rotation = runAside(
    [
      ...program,
      ...['api-key', 'rotate', '--all', '--grace', '0', '--require-adoption', '100%'],
      ...['--hard-deadline', '14d', '--waves', '1,1%,10%,100%', '--json', '--quiet'],
    ],
    { env: plant.environment },
  ).then((done) => {
    rotatedAfter = seconds()
    return done
  })
  let [posts, lost] = [0, 0]
  const count = ({ status }: GateAnswer) => {
    posts += 1
    if (status !== 202) lost += 1
  }
  const leftOver = () =>
    Number(
      cluster.psql(
        DATABASE,
        `select count(*) from cleverctl.api_key where state = 'GRACE' or (state = 'CURRENT' and version = 1)`,
      ),
    )
  while (leftOver() > 0) {
    if (seconds() * 1_000 > PATIENCE_MS) throw new Error('the adoption does not come to an end')
    await limit.map(loggers, async (logger) => count(await logger.post(measure)))
  }
  const adoptedAfter = seconds()
  const done = await rotation
  if (done.code !== 0) throw new Error(`the rotation ended with ${done.code}: ${done.stderr}`)
  await delay(100)
  const stored = Number(cluster.psql(DATABASE, 'select count(*) from cleverctl.reading'))
  const missing = posts - lost - stored
  return {
    title: 'Adoption of a rotation',
    method: `${INSTALLATIONS} installations × ${LOGGERS_EACH} reference loggers that post without a pause over ${CONNECTIONS} connections; \`api-key rotate --all --grace 0 --require-adoption 100% --waves 1,1%,10%,100%\`; measured until the last former key was retired because its last logger was seen with the new one.`,
    figures: [
      { what: 'all keys rotated', figure: `${rotatedAfter.toFixed(1)} s` },
      { what: 'all former keys retired by adoption', figure: `${adoptedAfter.toFixed(1)} s` },
      { what: 'posts meanwhile', figure: String(posts) },
      {
        what: 'lost posts',
        figure: `${lost} refused, ${missing} acknowledged and not stored`,
        bar: { text: '0', reached: lost === 0 && missing === 0 },
      },
    ],
  }
}

let lastAt = 0

/** One reading; no two of the same time. */
function measure(now: Date) {
  lastAt = Math.max(now.getTime(), lastAt + 1)
  return [{ at: new Date(lastAt), values: { powerW: 4210, voltageV: 612.5 } }]
}

interface Fleet {
  plant: Plant
  loggers: { serial: string; secret: string; apiKey: string }[]
}

function prepareFleet(program: readonly string[], cluster: Cluster, directory: string): Fleet {
  cluster.psql('postgres', `create database ${DATABASE}`)
  const environment = quietEnvironment({
    CLEVERCTL_HOME: join(directory, 'adoption-home'),
    CLEVERCTL_DATABASE_URL: cluster.url(DATABASE),
  })
  const cleverctl = (...command: string[]) =>
    runOnce([...program, ...command, '--json'], { env: environment })
  const file = (name: string) => join(directory, `adoption-${name}`)
  cleverctl('database', 'migrate')
  cleverctl('init')
  const codes = Array.from(
    { length: INSTALLATIONS },
    (_, index) => `solar-${String(index).padStart(4, '0')}`,
  )
  const serials = Array.from(
    { length: INSTALLATIONS * LOGGERS_EACH },
    (_, index) => `CDX-${String(index).padStart(6, '0')}`,
  )
  writeRows(file('plants.csv'), 'code,name,timezone,latitude,longitude', codes, (code) =>
    [code, code, 'Europe/Madrid', '36.84', '-2.46'].join(','),
  )
  writeRows(file('factory.csv'), 'serial,model,batch,manufacturedAt', serials, (serial) =>
    [serial, 'CleverDx', 'B-1', '2026-01-02'].join(','),
  )
  cleverctl('installation', 'import', file('plants.csv'))
  cleverctl('device', 'import', file('factory.csv'), '--secrets-out', file('secrets.csv'))
  const keys = codes.map(() => generateApiKey(systemRandom))
  const rows = keys.map(
    ({ apiKey, keyId }, index) =>
      `('${keyId}', '${codes[index]}', '\\x${apiKeyDigest(apiKey.reveal()).toString('hex')}')`,
  )
  cluster.psql(
    DATABASE,
    `insert into cleverctl.api_key (key_id, installation_id, version, state, digest)
     select sent.key_id, installation.id, 1, 'CURRENT', sent.digest::bytea
     from (values ${rows.join(',')}) as sent (key_id, code, digest)
     join cleverctl.installation on installation.code = sent.code;
     insert into cleverctl.installer (email, name, password_hash) values ('installer@example.com', 'Installer', 'none');
     insert into cleverctl.placement (device_id, installation_id, installer_id, during)
     select device.id, installation.id, installer.id, tstzrange(now() - interval '100 days', null)
     from cleverctl.installer, cleverctl.device
     join cleverctl.installation
       on installation.code = 'solar-' || lpad((substr(device.serial, 5)::integer / ${LOGGERS_EACH})::text, 4, '0')`,
  )
  const secrets = readFileSync(file('secrets.csv'), 'utf8').trim().split('\n').slice(1)
  const loggers = secrets.map((line) => {
    const [serial = '', secret = ''] = line.split(',')
    const installation = Math.floor(Number(serial.slice(4)) / LOGGERS_EACH)
    return { serial, secret, apiKey: keys[installation]?.apiKey.reveal() ?? '' }
  })
  const [certificate, key] = [join(directory, 'tls.crt'), join(directory, 'tls.key')]
  return {
    plant: { environment, certificate, key, apiKey: '', secrets: new Map() },
    loggers,
  }
}

function writeRows(
  path: string,
  header: string,
  names: readonly string[],
  row: (name: string) => string,
): void {
  writeFileSync(path, [header, ...names.map(row), ''].join('\n'))
}

function gateCommand(program: readonly string[], plant: Plant): string[] {
  return [
    ...program,
    ...['gate', 'serve', '--address', '127.0.0.1', '--port', 'PORT', '--no-limits'],
    ...['--tls-cert', plant.certificate, '--tls-key', plant.key, '--quiet'],
  ]
}

/** The way to a gate over connections that are kept, as a fleet's own would be. */
function keptWay({ host, port }: GateAddress, agent: Agent): Ask {
  return ({ method, path, headers = {}, body }) =>
    new Promise((resolve, reject) => {
      const payload = JSON.stringify(body)
      const outgoing = request(
        {
          host,
          port,
          agent,
          method,
          path,
          headers: { ...headers, 'content-type': 'application/json' },
        },
        (incoming) => {
          const chunks: Buffer[] = []
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
          incoming.on('error', reject)
          incoming.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8')
            const { statusCode: status = 0, headers } = incoming
            resolve({ status, headers, body: JSON.parse(text) as Record<string, unknown> })
          })
        },
      )
      outgoing.on('error', reject)
      outgoing.end(payload)
    })
}
