import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { BACKUP_RUNNING } from '../../src/lib/backup/failure.js'
import { parsePingUrl, pinged } from '../../src/lib/backup/ping.js'
import { ConflictError } from '../../src/lib/errors.js'
import { silentLog } from '../support/database.js'

describe('pinging a service that watches over jobs', () => {
  let server: Server
  const heard: string[] = []
  let status = 200

  before(async () => {
    server = createServer((request, response) => {
      heard.push(`${request.method} ${request.url}`)
      response.writeHead(status).end()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  after(() => {
    server.close()
  })

  const url = () => parsePingUrl(`http://127.0.0.1:${(server.address() as AddressInfo).port}/job/`)
  const log = (warnings: string[]) => ({
    ...silentLog,
    warn: (text: string) => void warnings.push(text),
  })

  it('tells of the start, of success and of failure, which stays a failure', async () => {
    assert.equal(await pinged(url(), silentLog, true, async () => 7), 7)
    const broken = pinged(url(), silentLog, false, async () => {
      throw new Error('broken')
    })
    await assert.rejects(broken, /broken/)
    assert.deepEqual(heard.splice(0), ['POST /job/start', 'POST /job', 'POST /job/fail'])
  })

  it('leaves it to a run that is under way to tell how it ends', async () => {
    const rival = new ConflictError(BACKUP_RUNNING, 'a backup is being made already')
    await assert.rejects(
      pinged(url(), silentLog, true, async () => Promise.reject(rival)),
      rival,
    )
    assert.deepEqual(heard.splice(0), ['POST /job/start'])
  })

  it('warns when the service does not take it, without its URL, and goes on', async () => {
    status = 500
    const warnings: string[] = []
    assert.equal(await pinged(url(), log(warnings), false, async () => 7), 7)
    assert.equal(warnings.length, 1)
    assert.doesNotMatch(warnings.join(), /127\.0\.0\.1|job/)
  })

  it('takes no other URL', () => {
    for (const text of [
      'nowhere',
      'ftp://example.com/',
      'https://me@example.com/',
      'https://x/?a=b',
    ])
      assert.throws(() => parsePingUrl(text), /ping URL/)
  })
})
