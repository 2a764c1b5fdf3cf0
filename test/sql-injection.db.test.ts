import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { systemClock, systemRandom } from '../src/lib/clock.js'
import { hashPassword } from '../src/lib/installer/password.js'
import { Secret } from '../src/lib/secret.js'
import { signToken } from '../src/lib/token/sign.js'
import { verifyTrail } from '../src/lib/trail/verify.js'
import { changedTables, contentOf } from './support/content.js'
import { freshDatabase, type FreshDatabase } from './support/database.js'
import { preparePlant, type TestPlant } from './support/plant.js'
import { startTestGate, type TestGate } from './support/gate.js'
import { type Answer, type Ask } from './support/gate-client.js'
import { HOSTILE_BYTES } from './support/hostile.js'
import { dumpSchema } from './support/schema.js'

const PASSWORD = 'a long passphrase for tests'
const ROUTES_FOLDER = fileURLToPath(new URL('../src/lib/gate/routes', import.meta.url))

/** Headers that something may read, on whichever route. */
const HEADERS = [
  ...['x-api-key', 'authorization', 'x-forwarded-for', 'forwarded', 'x-request-id', 'user-agent'],
  ...['content-type', 'content-encoding', 'accept', 'cookie', 'expect'],
]
/** The headers that the gate decides by. */
const DECIDING = ['x-api-key', 'authorization', 'x-forwarded-for']
const TEXTS = Object.entries(HOSTILE_BYTES)
/** A part of the texts, another one for the next number. */
const inTurn = (number: number) => TEXTS.filter((_, at) => at % 4 === number % 4)

/** The tables that what arrives may change. */
const WRITTEN = [
  'api_key',
  'device_address',
  'device_sighting',
  'installer',
  'placement',
  'reading',
  'refusal',
  'trail',
  'trail_head',
]

/** A request that is right in every part. */
type Right = Ask & { method: string; status: number; headers: Record<string, string> }

describe('hostile text in every header and field of every route of the gate', () => {
  let fresh: FreshDatabase
  let plant: TestPlant
  let gate: TestGate
  let schema: string
  let content: Awaited<ReturnType<typeof contentOf>>
  let appToken: string
  let devices = 0

  const look = (statement: string) => fresh.database.query(statement)

  before(async () => {
    fresh = await freshDatabase()
    plant = await preparePlant(fresh.database)
    await plant.addDevice('CDX-000123', plant.installation)
    const hash = await hashPassword(new Secret(PASSWORD), systemRandom)
    await fresh.database.query('update cleverctl.installer set password_hash = $1', [hash])
    await look(`insert into cleverctl.installer_assignment (installer_id, installation_id)
      select installer.id, installation.id from cleverctl.installer, cleverctl.installation`)
    const bearer = { audience: 'app', installerId: plant.installerId, installerEpoch: 0 } as const
    const tools = { clock: systemClock, random: systemRandom, ttlMs: 3_600_000 }
    appToken = signToken(plant.signer, bearer, tools).token.reveal()
    gate = await startTestGate(plant.workspace, { trustProxy: ['127.0.0.1'] })
    await look(`select cleverctl.reading_ensure_partition(now() + days * interval '1 day')
      from generate_series(0, 60, 15) as days`)
    schema = dumpSchema(fresh.url)
    content = await contentOf(look)
  })

  after(async () => {
    await gate.stop()
    await fresh.drop()
  })

  /** Each route with a request that it takes. */
  const routes: Record<string, () => Right | Promise<Right>> = {
    'GET /v1/authorize': () => ({ ...ofDevice('/v1/authorize'), method: 'GET', status: 204 }),
    'POST /v1/data': () => ({
      ...ofDevice('/v1/data'),
      body: { readings: [{ at: new Date().toISOString(), values: { powerW: 4210 } }] },
      status: 202,
    }),
    'POST /v1/token': async () => {
      const { serial, secret } = await plant.addDevice(newSerial(), plant.installation)
      return { ...ofDevice('/v1/token'), body: { serial, secret }, status: 200 }
    },
    'POST /v1/app/login': () => ({
      ...ofApp('/v1/app/login'),
      body: { email: 'installer@example.com', password: PASSWORD },
      status: 200,
    }),
    'POST /v1/app/placements': async () => {
      const { serial } = await plant.addDevice(newSerial())
      const { code: installation } = plant.installation
      const place = { at: new Date().toISOString(), position: 'roof, third row' }
      return {
        ...ofApp('/v1/app/placements'),
        body: { serial, installation, ...place },
        status: 201,
      }
    },
    'DELETE /v1/app/placements/:serial': async () => {
      const { serial } = await plant.addDevice(newSerial(), plant.installation)
      return { ...ofApp(`/v1/app/placements/${serial}`), method: 'DELETE', status: 204 }
    },
    'GET /.well-known/jwks.json': () => open('/.well-known/jwks.json'),
    'GET /healthz': () => open('/healthz'),
    'GET /readyz': () => open('/readyz'),
  }

  const newSerial = () => `HOS-${(devices += 1)}`
  const ofDevice = (path: string) => ({
    path,
    method: 'POST',
    headers: { 'x-api-key': plant.apiKey, authorization: `Bearer ${plant.token('CDX-000123')}` },
  })
  const ofApp = (path: string) => ({
    path,
    method: 'POST',
    headers: { authorization: `Bearer ${appToken}` },
  })
  const open = (path: string): Right => ({ path, method: 'GET', headers: {}, status: 200 })

  it('tries every route that the sources have', () => {
    const sources = readdirSync(ROUTES_FOLDER).map((file) =>
      readFileSync(join(ROUTES_FOLDER, file), 'utf8'),
    )
    const found = sources.flatMap((text) =>
      [...text.matchAll(/\bapp\.(get|post|put|patch|delete)\b(?:<[^(]*>)?\(\s*'([^']+)'/g)].map(
        ([, method = '', path = '']) => `${method.toUpperCase()} ${path}`,
      ),
    )
    assert.deepEqual(Object.keys(routes).sort(), found.sort())
  })

  for (const [route, make] of Object.entries(routes)) {
    describe(route, () => {
      it('takes what is right', async () => {
        const right = await make()
        assert.equal((await gate.client.ask(right)).status, right.status)
      })

      it('in every header', async () => {
        for (const [at, header] of HEADERS.entries()) {
          for (const [what, text] of DECIDING.includes(header) ? TEXTS : inTurn(at)) {
            const right = await make()
            const headers = { ...right.headers, [header]: text }
            mustBeRefusedOrTaken(await send({ ...right, headers }), `${header}: ${what}`)
          }
        }
      })

      it('in the path and the query', async () => {
        const { path } = await make()
        const folder = path.slice(0, path.lastIndexOf('/'))
        for (const [what, text] of TEXTS) {
          const encoded = encode(text.slice(0, 4000))
          for (const changed of [
            `${folder}/${encoded}`,
            `${path}?a=${encoded}&${encoded}`,
            `${path}/${encoded}`,
          ]) {
            mustBeRefusedOrTaken(
              await send({ ...(await make()), path: changed }),
              `${changed}: ${what}`,
            )
          }
        }
      })

      it('in every field of the body', async () => {
        const { body } = await make()
        for (const field of body === undefined ? [] : fieldsOf(body)) {
          for (const [what, text] of TEXTS) {
            for (const value of [text, { $ne: text }, [text]]) {
              const right = await make()
              const changed = { ...right, body: withField(right.body, field, value) }
              mustBeRefusedOrTaken(await send(changed), `${field.join('.')}: ${what}`)
            }
          }
        }
      })

      it('in the name of a field, and instead of a body', async () => {
        for (const [what, text] of TEXTS) {
          const right = await make()
          if (right.method === 'GET') return
          const body = { ...(right.body as object), [text]: text }
          mustBeRefusedOrTaken(await send({ ...right, body }), `a field called: ${what}`)
          const { body: _, ...bare } = right
          mustBeRefusedOrTaken(await send({ ...bare, raw: text }), `the body is ${what}`)
        }
      })
    })
  }

  it('what is text to people is kept letter by letter', async () => {
    for (const text of TEXTS.map(([, text]) => text)) {
      const name = text.slice(0, 64)
      const right = await routes['POST /v1/data']?.()
      assert.ok(right)
      const at = new Date().toISOString()
      const answer = await send({ ...right, body: { readings: [{ at, values: { [name]: 1 } }] } })
      mustBeRefusedOrTaken(answer, name)
      if (answer?.status !== 202) continue
      const { rows } = await fresh.database.query(
        'select "values" from cleverctl.reading where at = $1',
        [at],
      )
      assert.deepEqual(rows, [{ values: { [name]: 1 } }])
    }
    for (const text of TEXTS.map(([, text]) => text)) {
      const right = await routes['POST /v1/app/placements']?.()
      assert.ok(right)
      const position = text.slice(0, 200)
      const { serial } = right.body as { serial: string }
      const answer = await send({ ...right, body: { ...(right.body as object), position } })
      mustBeRefusedOrTaken(answer, position)
      if (answer?.status !== 201) continue
      const { rows } = await fresh.database.query(
        `select position from cleverctl.placement join cleverctl.device on device.id = device_id
         where serial = $1`,
        [serial],
      )
      assert.deepEqual(rows, [{ position: position.trim() }])
    }
  })

  describe('in the end', () => {
    it('the gate still works, and has written down no fault', async () => {
      const { path, headers } = ofDevice('/v1/authorize')
      assert.equal((await gate.client.ask({ path, headers })).status, 204)
      assert.deepEqual(
        gate.log.filter(({ level }) => level === 'error'),
        [],
      )
    })

    it('only what arrivals change has changed, and the trail is whole', async () => {
      assert.equal(dumpSchema(fresh.url), schema)
      const now = await contentOf(look)
      const changed = changedTables(content, now).filter((table) => !WRITTEN.includes(table))
      assert.deepEqual(changed, ['device'])
      assert.equal(now['device']?.rows, (content['device']?.rows ?? 0) + devices)
      await verifyTrail(plant.workspace)
    })
  })

  /** Sends a request; undefined when the connection was closed without an answer. */
  async function send(request: Right): Promise<Answer | undefined> {
    const values = Object.values(request.headers)
    // Node's client refuses to send these; others do not.
    if (values.some((value) => /[\0-\x08\x0a-\x1f\x7f]/.test(value))) return sendRaw(request)
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [
        name,
        Buffer.from(value).toString('latin1'),
      ]),
    )
    return gate.client.ask({ ...request, headers }).catch(() => undefined)
  }

  async function sendRaw({ method, path, headers, body }: Right): Promise<Answer | undefined> {
    const payload = body === undefined ? '' : JSON.stringify(body)
    const head = Object.entries({
      host: 'localhost',
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(payload)),
      connection: 'close',
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`)
    const { port, certificate } = gate.client
    const text = await new Promise<string>((resolve) => {
      const socket = connect({ port, host: '127.0.0.1', ca: certificate })
      let received = ''
      socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk))
      socket.on('error', () => undefined).on('close', () => resolve(received))
      socket.end(`${method} ${path} HTTP/1.1\r\n${head.join('')}\r\n${payload}`)
    })
    const status = Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1])
    return Number.isNaN(status) ? undefined : { status, headers: {}, text, body: {} }
  }
})

/** An answer is a refusal or a receipt, and never the server's own fault. */
function mustBeRefusedOrTaken(answer: Answer | undefined, what: string): void {
  const seen = `${what}: ${answer?.status} ${answer?.text.slice(0, 300)}`
  // Whoever sends a head without end is cut off, perhaps before the answer got through.
  if (answer === undefined && what.endsWith('very long')) return
  assert.ok(answer !== undefined && answer.status < 500, seen)
  assert.ok(!/drop table|syntax error|SQLSTATE|cleverctl\.\w/i.test(answer.text), seen)
}

type Path = (string | number)[]

/** The paths of every value in a body, those inside other values included. */
function fieldsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  const inner = entries.flatMap(([key, each]) => fieldsOf(each, [...path, key]))
  return path.length === 0 ? inner : [path, ...inner]
}

function withField(value: unknown, [first, ...rest]: Path, put: unknown): unknown {
  if (first === undefined) return put
  if (Array.isArray(value)) {
    return value.map((each, at) => (at === first ? withField(each, rest, put) : (each as unknown)))
  }
  const object = value as Record<string, unknown>
  return { ...object, [first]: withField(object[first], rest, put) }
}

/** Percent-encoded; of half a surrogate pair the bytes that a careless client would send. */
function encode(text: string): string {
  return encodeURIComponent(text.replaceAll('\ud800', 'HALF')).replaceAll('HALF', '%ED%A0%80')
}
