import assert from 'node:assert/strict'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CertificateAuthority } from '../support/certificates.js'
import { freshDatabase, type FreshDatabase } from '../support/database.js'
import { GateClient, headersOf } from '../support/gate-client.js'
import { homeWorkspace, spawnGate, type SpawnedGate } from '../support/gate.js'
import { preparePlant, type TestPlant } from '../support/plant.js'
import { until } from '../support/until.js'
import { freePort } from '../../src/lib/free-port.js'

const EXAMPLE = fileURLToPath(new URL('../../docs/examples/nginx.conf', import.meta.url))

/** What the service behind nginx got. */
interface Arrived {
  headers: IncomingHttpHeaders
  body: string
}

describe('the example of nginx in front of a gate', () => {
  let fresh: FreshDatabase
  let home: string
  let authority: CertificateAuthority
  let plant: TestPlant
  let gate: SpawnedGate
  let nginx: ChildProcess
  let client: GateClient
  let sink: Server
  const arrived: Arrived[] = []

  before(async function () {
    if (spawnSync('nginx', ['-v']).error) this.skip()
    fresh = await freshDatabase()
    home = mkdtempSync(join(tmpdir(), 'cctl-nginx-'))
    plant = await preparePlant(fresh.database, { workspace: await homeWorkspace(fresh, home) })
    await plant.addDevice('CDX-000123', plant.installation)
    await plant.addDevice('CDX-000124')
    gate = await spawnGate({
      home,
      env: { CLEVERCTL_DATABASE_URL: fresh.url },
      args: ['--trust-proxy', '127.0.0.1/32', '--limit', 'failures=20'],
    })
    sink = createServer((incoming, answer) => {
      let body = ''
      incoming.setEncoding('utf8').on('data', (text: string) => (body += text))
      incoming.on('end', () => {
        arrived.push({ headers: incoming.headers, body })
        answer.writeHead(200, { 'content-type': 'application/json' }).end('{"taken":true}')
      })
    }).listen(0, '127.0.0.1')
    await once(sink, 'listening')
    authority = new CertificateAuthority()
    client = await startNginx()
  })

  after(async () => {
    client?.close()
    if (nginx?.exitCode === null) {
      const ended = once(nginx, 'exit')
      nginx.kill('SIGTERM')
      await ended
    }
    await gate?.end('SIGKILL')
    sink?.close()
    authority?.remove()
    await fresh?.drop()
    if (home !== undefined) rmSync(home, { recursive: true, force: true })
  })

  beforeEach(() => {
    arrived.length = 0
  })

  /** Runs the example as it is, with this machine's paths and ports in the place of its own. */
  const startNginx = async () => {
    const port = await freePort()
    const { certificate, key } = authority.issue('localhost', ['DNS:localhost', 'IP:127.0.0.1'])
    const own: [string, string][] = [
      ['/run/nginx.pid', join(home, 'nginx.pid')],
      ['/var/log/nginx/error.log', join(home, 'error.log')],
      ['/etc/cleverctl/gate.crt', join(home, 'gate', 'self-signed.crt')],
      ['/etc/nginx/gate.example.com.crt', certificate],
      ['/etc/nginx/gate.example.com.key', key],
      ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`],
      ['server 127.0.0.1:8443;', `server 127.0.0.1:${gate.client.port};`],
      ['server 127.0.0.1:9000;', `server 127.0.0.1:${(sink.address() as AddressInfo).port};`],
      // The package's folders for these belong to root.
      [
        'http {\n',
        'http {\n' +
          ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
            .map((kind) => `  ${kind}_temp_path ${join(home, kind)};\n`)
            .join(''),
      ],
    ]
    let text = readFileSync(EXAMPLE, 'utf8')
    for (const [from, to] of own) {
      assert.equal(text.split(from).length, 2, `${from} stands once in the example`)
      text = text.replace(from, to)
    }
    const file = join(home, 'nginx.conf')
    writeFileSync(file, text)
    nginx = spawn('nginx', ['-c', file, '-e', join(home, 'error.log'), '-g', 'daemon off;'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let stderr = ''
    nginx.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    const started = new GateClient(port, readFileSync(authority.certificate, 'utf8'))
    await until(async () => {
      if (nginx.exitCode !== null) throw new Error(`nginx ended: ${stderr}`)
      const answer = await started.ask({ path: '/' }).catch(() => undefined)
      return answer !== undefined
    }, 10_000)
    return started
  }

  const accepted = () => headersOf({ apiKey: plant.apiKey, token: plant.token('CDX-000123') })

  it('passes what the gate accepts, with the names that the gate gave and without the credentials', async () => {
    const { status, body } = await client.ask({
      path: '/ingest/readings',
      headers: accepted(),
      body: { powerW: 4210 },
    })
    assert.deepEqual([status, body], [200, { taken: true }])
    const [{ headers, body: sent }] = arrived as [Arrived]
    assert.equal(sent, '{"powerW":4210}')
    assert.equal(headers['x-device-serial'], 'CDX-000123')
    assert.equal(headers['x-installation'], 'solar-0042')
    assert.match(String(headers['x-request-id']), /^[\w-]{8,}$/)
    assert.deepEqual([headers['x-api-key'], headers.authorization], [undefined, undefined])
  })

  it('overwrites the names that a client sends, however it writes them', async () => {
    const { status } = await client.ask({
      path: '/ingest/readings',
      headers: {
        ...accepted(),
        'x-device-serial': ['CDX-999999', 'CDX-999998'],
        'X-INSTALLATION': 'solar-9999',
        x_device_serial: 'CDX-999997',
        'x-forwarded-for': '192.0.2.1',
      },
      body: {},
    })
    assert.equal(status, 200)
    const [{ headers }] = arrived as [Arrived]
    assert.doesNotMatch(JSON.stringify(headers), /CDX-99999|solar-9999/)
    assert.equal(headers['x-device-serial'], 'CDX-000123')
  })

  it('passes a body that is sent in chunks', async () => {
    const status = await new Promise((resolve, reject) => {
      const outgoing = request({
        host: '127.0.0.1',
        port: client.port,
        ca: client.certificate,
        method: 'POST',
        path: '/ingest/readings',
        headers: accepted(),
      })
      outgoing.on('response', (incoming) => {
        incoming.resume()
        resolve(incoming.statusCode)
      })
      outgoing.on('error', reject)
      outgoing.write('first ')
      setTimeout(() => outgoing.end('second'), 50)
    })
    assert.equal(status, 200)
    assert.equal(arrived[0]?.body, 'first second')
  })

  it('stops what the gate refuses, with its class and the request id', async () => {
    const refusals: [number, string, Record<string, string>][] = [
      [401, 'unauthorized', {}],
      [401, 'unauthorized', { ...accepted(), authorization: 'Bearer x' }],
      [403, 'forbidden', headersOf({ apiKey: plant.apiKey, token: plant.token('CDX-000124') })],
    ]
    for (const [status, word, headers] of refusals) {
      const answer = await client.ask({ path: '/ingest/readings', headers, body: {} })
      assert.equal(answer.status, status)
      assert.equal(answer.body['error'], word)
      const id = String(answer.body['requestId'])
      assert.ok(id.length > 8)
      await until(() => gate.stderr().includes(id))
    }
    assert.deepEqual(arrived, [])
  })

  it('hands the routes of the gate through, but for the one that is for proxies', async () => {
    const readings = [{ at: new Date().toISOString(), values: { powerW: 1 } }]
    const posted = await client.ask({ path: '/v1/data', headers: accepted(), body: { readings } })
    assert.deepEqual([posted.status, posted.body], [202, { accepted: 1, duplicates: 0 }])
    for (const path of ['/v1/authorize', '/gate-decides', '/healthz', '/readyz', '/metrics'])
      assert.equal((await client.ask({ path, headers: accepted() })).status, 404, path)
  })

  it('does not let a client choose the address by which its failures are counted', async () => {
    for (let turn = 0; turn < 30; turn += 1) {
      await client.ask({
        path: '/v1/data',
        headers: { 'x-forwarded-for': `192.0.2.${turn}` },
        body: {},
      })
    }
    const answer = await client.ask({ path: '/v1/data', headers: {}, body: {} })
    assert.equal(answer.status, 429)
    assert.ok(Number(answer.headers['retry-after']) >= 1)
    // The gate's 429 on the way of a decision: not accepted, so it does not pass.
    const undecided = await client.ask({ path: '/ingest/readings', headers: {}, body: {} })
    assert.equal(undecided.status, 503)
    assert.equal(undecided.headers['retry-after'], '2')
    assert.deepEqual(arrived, [])
  })

  it('passes nothing while the gate is away', async () => {
    await gate.end('SIGKILL')
    for (let turn = 0; turn < 3; turn += 1) {
      const answer = await client.ask({ path: '/ingest/readings', headers: accepted(), body: {} })
      assert.equal(answer.status, 503)
      assert.equal(answer.body['error'], 'unavailable')
      assert.ok(Number(answer.headers['retry-after']) >= 1)
      assert.equal((await client.ask({ path: '/v1/token', body: {} })).status, 502)
    }
    assert.deepEqual(arrived, [])
  })
})
