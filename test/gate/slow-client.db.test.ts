import assert from 'node:assert/strict'
import { connect, type TLSSocket } from 'node:tls'
import { connect as connectTcp } from 'node:net'
import { once } from 'node:events'
import { freshDatabase, type FreshDatabase } from '../support/database.js'
import { preparePlant, type TestPlant } from '../support/plant.js'
import { startTestGate, type TestGate } from '../support/gate.js'

// Runs alone: what it waits for has to come within seconds.

describe('a slow client', () => {
  let fresh: FreshDatabase
  let plant: TestPlant
  let gate: TestGate
  let headers: string

  before(async () => {
    fresh = await freshDatabase()
    plant = await preparePlant(fresh.database)
    await plant.addDevice('CDX-000123', plant.installation)
    gate = await startTestGate(plant.workspace, {
      timeouts: { head: 500, request: 1_000, idle: 1_000 },
    })
    headers = `host: x\r\nx-api-key: ${plant.apiKey}\r\nauthorization: Bearer ${plant.token('CDX-000123')}\r\n`
  })

  after(async () => {
    await gate?.stop()
    await fresh?.drop()
  })

  /** Sends pieces with a pause after each, and waits until the gate closes. */
  const drip = async (pieces: Iterable<string>, pauseMs: number) => {
    const socket: TLSSocket = connect({
      host: '127.0.0.1',
      port: gate.client.port,
      ca: gate.client.certificate,
      servername: 'localhost',
    })
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    socket.on('error', () => undefined)
    const closed = once(socket, 'close')
    await once(socket, 'secureConnect')
    const began = performance.now()
    const iterator = pieces[Symbol.iterator]()
    const timer = setInterval(() => {
      const next = iterator.next()
      if (!next.done && socket.writable) socket.write(next.value)
    }, pauseMs)
    await closed
    clearInterval(timer)
    return { text, ms: performance.now() - began }
  }

  function* forEver(first: string, then: string) {
    yield first
    for (;;) yield then
  }

  it('that never ends its headers is sent away, and others are served meanwhile', async () => {
    const many = Array.from({ length: 50 }, () =>
      drip(forEver('GET /v1/authorize HTTP/1.1\r\n', 'x: y\r\n'), 50),
    )
    const honest = await gate.client.authorize({
      apiKey: plant.apiKey,
      token: plant.token('CDX-000123'),
    })
    assert.equal(honest.status, 204)
    for (const { text, ms } of await Promise.all(many)) {
      assert.ok(ms < 4_000, `${ms} ms`)
      assert.match(text, /^(HTTP\/1\.1 408 [^]*"requestId"|$)/)
    }
  })

  it('that never ends its body is sent away, and nothing of it is stored', async () => {
    const head = `POST /v1/data HTTP/1.1\r\n${headers}content-type: application/json\r\ncontent-length: 100000\r\n\r\n{"readings":[`
    const { ms } = await drip(forEver(head, ' '), 50)
    assert.ok(ms < 5_000, `${ms} ms`)
    const { rows } = await fresh.database.query('select from cleverctl.reading')
    assert.equal(rows.length, 0)
  })

  it('without credentials is answered before its body, however long that is', async () => {
    const head =
      'POST /v1/data HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n'
    const { text } = await drip(forEver(head, ' '.repeat(100)), 50)
    assert.match(text, /^HTTP\/1\.1 401 /)
  })

  it('that opens a connection and says nothing is sent away', async () => {
    const socket = connectTcp(gate.client.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.resume()
    const began = performance.now()
    await once(socket, 'close')
    assert.ok(performance.now() - began < 4_000)
  })
})
