import assert from 'node:assert/strict'
import { connect } from 'node:tls'
import type { FreshDatabase } from '../support/database.js'
import { headersOf } from '../support/gate-client.js'
import { type TestDevice, type TestPlant } from '../support/plant.js'
import { type TestGate } from '../support/gate.js'
import { withGate } from '../support/gate-suite.js'
import { seeded, type Seeded } from '../support/seeded.js'

const ROUNDS = 600

describe('whatever is sent to the gate', () => {
  let fresh: FreshDatabase
  let plant: TestPlant
  let gate: TestGate
  let device: TestDevice
  let random: Seeded

  withGate(async (up) => {
    ;({ fresh, plant, gate } = up)
    device = await plant.addDevice('CDX-000123', plant.installation)
    random = seeded()
  })

  const told = (what: string) => `${what} (SEED=${random.seed})`

  const STRINGS = [
    ...[
      '',
      ' ',
      '\u0000',
      '\ud800',
      '\udfff',
      '\u202e',
      '\ufeff',
      'a'.repeat(5_000),
      '🔆',
      "'; drop table reading; --",
    ],
    ...[
      '${7*7}',
      '../../etc/passwd',
      '%00',
      '%n%s',
      'null',
      'true',
      '0',
      '-1',
      '1e999',
      '\\u0000',
      '{{x}}',
      '<script>',
    ],
    ...[
      '2026-11-23T10:15:00Z',
      '2026-02-30T00:00:00Z',
      '0000-00-00T00:00:00Z',
      '9999-12-31T23:59:59.999999999Z',
    ],
    ...[
      'CDX-000123',
      'solar-0042',
      '__proto__',
      'constructor',
      'toString',
      'readings',
      'at',
      'values',
    ],
  ]
  const NUMBERS = [
    0,
    -0,
    1,
    -1,
    0.1,
    1e308,
    -1e308,
    5e-324,
    2 ** 53,
    2 ** 63,
    1e21,
    Number.MAX_SAFE_INTEGER,
  ]

  /** Any JSON value, some of them far too deep or too wide. */
  const anyValue = (depth: number): unknown => {
    switch (random.below(depth > 4 ? 5 : 8)) {
      case 0:
        return random.pick(STRINGS)
      case 1:
        return random.pick(NUMBERS)
      case 2:
        return random.below(2) === 0
      case 3:
        return null
      case 4:
        return random.bytes(random.below(40)).toString('latin1')
      case 5:
        return Array.from({ length: random.below(5) }, () => anyValue(depth + 1))
      default:
        return Object.fromEntries(
          Array.from({ length: random.below(5) }, () => [
            random.pick(STRINGS),
            anyValue(depth + 1),
          ]),
        )
    }
  }

  /** An honest body with one place replaced. */
  const almostRight = (): unknown => {
    const at = () => new Date(Date.now() - random.below(1_000_000_000)).toISOString()
    const readings: Record<string, unknown>[] = Array.from({ length: 1 + random.below(4) }, () => ({
      at: at(),
      values: { powerW: random.below(5_000), [random.pick(STRINGS)]: random.pick(NUMBERS) },
    }))
    const reading = random.pick(readings)
    const body: Record<string, unknown> = { readings }
    switch (random.below(6)) {
      case 0:
        reading['at'] = anyValue(0)
        break
      case 1:
        reading['values'] = anyValue(0)
        break
      case 2:
        reading[random.pick(STRINGS)] = anyValue(0)
        break
      case 3:
        body[random.pick(STRINGS)] = anyValue(0)
        break
      case 4:
        readings.push(anyValue(0) as Record<string, unknown>)
        break
    }
    return body
  }

  const anyRaw = (): string | Buffer => {
    const json = JSON.stringify(almostRight())
    switch (random.below(7)) {
      case 0:
        return json.slice(0, random.below(json.length))
      case 1:
        return random.bytes(random.below(300))
      case 2:
        return '['.repeat(1 + random.below(100_000))
      case 3:
        return `{"readings":[{"at":"${new Date().toISOString()}","values":{"a":${random.pick(['1e999', '-', '01', '.5', 'NaN', '1E+400', '0x10', '"1"', '[1]'])}}}]}`
      case 4: {
        const bytes = Buffer.from(json)
        bytes[random.below(bytes.length)] = random.below(256)
        return bytes
      }
      case 5:
        return `{"readings":[{"at":"${new Date().toISOString()}","values":{"a":1}}],"readings":[]}`
      default:
        return JSON.stringify(anyValue(0))
    }
  }

  it('as a body gets no 5xx, and a 202 only for what is then stored', async () => {
    const token = plant.token(device.serial)
    const seen = new Map<number, number>()
    let accepted = 0
    for (let round = 0; round < ROUNDS; round += 1) {
      const raw = random.below(2) === 0 ? JSON.stringify(almostRight()) : anyRaw()
      const answer = await gate.client.ask({
        method: 'POST',
        path: '/v1/data',
        headers: headersOf({ apiKey: plant.apiKey, token }),
        raw,
      })
      seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1)
      assert.ok(answer.status < 500, told(`${answer.status} to ${raw.toString().slice(0, 300)}`))
      assert.ok([202, 400, 413, 415].includes(answer.status), told(String(answer.status)))
      if (answer.status === 202) accepted += Number(answer.body['accepted'])
    }
    const { rows } = await fresh.database.query<{ count: string }>(
      'select count(*) from cleverctl.reading where device_id = $1',
      [device.id],
    )
    assert.equal(Number(rows[0]?.count), accepted, told('stored'))
    assert.ok((seen.get(202) ?? 0) > 0 && (seen.get(400) ?? 0) > 0, told('one-sided'))
  })

  it('as a body of the other routes gets no 5xx and lets nobody in', async () => {
    for (let round = 0; round < ROUNDS / 2; round += 1) {
      const path = random.pick(['/v1/token', '/v1/app/login', '/v1/app/placements'])
      const fields =
        path === '/v1/token'
          ? ['serial', 'secret']
          : path === '/v1/app/login'
            ? ['email', 'password']
            : ['serial', 'installation', 'at', 'position']
      const body = Object.fromEntries(
        fields.map((field) => [field, random.below(3) === 0 ? anyValue(0) : random.pick(STRINGS)]),
      )
      const answer = await gate.client.ask({
        path,
        headers: headersOf({ apiKey: plant.apiKey }),
        raw: random.below(4) === 0 ? anyRaw() : JSON.stringify(body),
        method: 'POST',
      })
      // Too many passwords at once are sent away, which is no fault.
      const allowed = [400, 401, 403, 413, 415]
      assert.ok(allowed.includes(answer.status), told(`${path} ${answer.status}`))
    }
  })

  it('as headers gets no 5xx and lets nobody in', async () => {
    const token = plant.token(device.serial)
    const mangle = (text: string): string => {
      const place = random.below(text.length)
      switch (random.below(6)) {
        case 0:
          return text.slice(0, place)
        case 1:
          return (
            text.slice(0, place) +
            random.pick(['A', 'z', '0', '_', '-', '.', '=', ' ']) +
            text.slice(place)
          )
        case 2:
          return `${text}${random.pick([',', ' ', ';', '.', 'x'])}${text}`
        case 3:
          return text.toUpperCase()
        case 4:
          return [...text].reverse().join('')
        default:
          return random.bytes(1 + random.below(60)).toString('hex')
      }
    }
    const HEADERS = [
      'x-api-key',
      'authorization',
      'content-length',
      'content-type',
      'x-forwarded-for',
      'cookie',
      'expect',
    ]
    for (let round = 0; round < ROUNDS; round += 1) {
      const isKeyWrong = random.below(2) === 0
      const credentials = {
        apiKey: isKeyWrong ? mangle(plant.apiKey) : plant.apiKey,
        token: isKeyWrong ? token : mangle(token),
      }
      if (credentials.apiKey.trim() === plant.apiKey && credentials.token.trim() === token) continue
      const extra =
        random.below(3) === 0
          ? { [random.pick(HEADERS.slice(4))]: random.bytes(20).toString('hex') }
          : {}
      const answer = await gate.client
        .ask({
          path: random.pick(['/v1/authorize', '/v1/authorize?x=1', '/v1/authorize/']),
          headers: { ...headersOf(credentials), ...extra },
        })
        .catch(() => undefined)
      if (answer === undefined) continue
      assert.ok(
        [400, 401, 404, 417].includes(answer.status),
        told(`${answer.status} for ${JSON.stringify(credentials).length}`),
      )
    }
  })

  it('as bytes that are no HTTP gets an answer without 5xx, or a closed connection', async () => {
    const lines = [
      'GET / HTTP/1.1\r\n\r\n',
      'GET /v1/authorize HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n',
      'GET /v1/authorize HTTP/9.9\r\nhost: x\r\n\r\n',
      'POST /v1/data HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n',
      'POST /v1/data HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      'POST /v1/data HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzzz\r\n',
      'GET /%ff%fe%zz HTTP/1.1\r\nhost: x\r\n\r\n',
      'DELETE /v1/app/placements/%E0%A4%A HTTP/1.1\r\nhost: x\r\n\r\n',
      `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
      `GET / HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`,
      'GET /v1/authorize HTTP/1.1\r\nhost: x\r\nx-api-key: a\u0000b\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      'CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n',
      'OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n',
      'TRACE / HTTP/1.1\r\nhost: x\r\n\r\n',
      '\r\n\r\n\r\n',
      ...Array.from({ length: 40 }, () => random.bytes(1 + random.below(400))),
    ]
    for (const line of lines) {
      const text = await say(line)
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 400)
      const what = told(
        `${status} to ${JSON.stringify(line.toString('latin1' as never).slice(0, 80))}`,
      )
      assert.ok(status >= 400 && status < 500, what)
      if (text !== '') {
        assert.match(text, /\r\ndate: /i, what)
        assert.match(text, /\r\nx-request-id: /i, what)
      }
    }
    assert.equal((await gate.client.ask({ path: '/readyz' })).status, 200)
  })

  it('leaves no fault in the log', () => {
    assert.deepEqual(
      gate.log.filter((line) => line['event'] === 'fault' || line['event'] === 'unavailable'),
      [],
      told('log'),
    )
  })

  /** Sends bytes over TLS and gives what comes back until the connection ends or nothing comes for a while. */
  async function say(bytes: string | Buffer): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect({
        host: '127.0.0.1',
        port: gate.client.port,
        ca: gate.client.certificate,
        servername: 'localhost',
      })
      let text = ''
      const done = () => {
        socket.destroy()
        resolve(text)
      }
      socket.setTimeout(300, done)
      socket.on('secureConnect', () => socket.write(bytes))
      socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
      socket.on('end', done)
      socket.on('error', done)
    })
  }
})
