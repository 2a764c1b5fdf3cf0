import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apiKeyDigest } from '../../src/lib/api-key/format.js'
import { issueApiKey } from '../../src/lib/api-key/issue.js'
import { listApiKeys } from '../../src/lib/api-key/list.js'
import { rotateApiKey } from '../../src/lib/api-key/rotate.js'
import { ConflictError, PartialError, UsageError } from '../../src/lib/errors.js'
import { fileDelivery } from '../../src/lib/file-delivery.js'
import { parseSink } from '../../src/lib/sink/parse.js'
import type { Sink } from '../../src/lib/sink/types.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { freshDatabase, testClock, testWorkspace, type FreshDatabase } from '../support/database.js'
import { roleDatabase, type RoleDatabase } from '../support/roles.js'

const HOUR = 3_600_000

describe('a key that is delivered to sinks', () => {
  let fresh: FreshDatabase
  let staff: RoleDatabase
  let workspace: Workspace
  let folder: string
  let plants = 0
  const clock = testClock('2026-06-01T12:00:00Z')

  before(async () => {
    fresh = await freshDatabase()
    staff = await roleDatabase(fresh, 'cleverctl_staff')
    workspace = testWorkspace(staff.database, { clock })
  })
  after(async () => {
    await staff.close()
    await fresh.drop()
  })
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cctl-deliver-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const path = (name: string) => join(folder, name)
  const read = (name: string) => readFileSync(path(name), 'utf8').trim()
  const sink = (text: string) => parseSink(text, {})

  async function plant(): Promise<string> {
    const code = `solar-${String(++plants).padStart(4, '0')}`
    await fresh.database.query(
      `insert into cleverctl.installation (code, name, timezone, latitude, longitude)
       values ($1, 'Almeria', 'Europe/Madrid', 36.84, -2.46)`,
      [code],
    )
    return code
  }

  const issue = (installation: string, ...sinks: Sink[]) =>
    issueApiKey(workspace, { installation, lifetimeMs: undefined, delivery: sinks })
  const rotate = (installation: string, ...sinks: Sink[]) =>
    rotateApiKey(workspace, {
      installation,
      overlap: { graceMs: HOUR, adoption: undefined },
      lifetimeMs: undefined,
      delivery: sinks,
    })
  const states = async (installation: string) =>
    (await listApiKeys(workspace, { installation })).apiKeys.map(({ state }) => state).join(' ')
  const stateOf = async (text: string) => {
    const { rows } = await fresh.database.query<{ state: string }>(
      'select state from cleverctl.api_key where digest = $1',
      [apiKeyDigest(text)],
    )
    return rows[0]?.state
  }
  const actions = async (installation: string) => {
    const { rows } = await fresh.database.query<{ action: string }>(
      `select action from cleverctl.trail where subject = $1 order by seq`,
      [installation],
    )
    return rows.map(({ action }) => action)
  }

  /** A sink that looks at the database while it has the key. */
  const watching = (name: string, look: () => Promise<void>): Sink => ({
    name,
    canPutBack: true,
    check: async () => undefined,
    deliver: async () => {
      await look()
      return { putBack: async () => undefined }
    },
  })

  it('is in force when all have confirmed, and the grace of the former begins then', async () => {
    const code = await plant()
    const first = await issue(code, sink(`file:${path('key')}`))
    const former = read('key')
    assert.deepEqual(first.deliveredTo, [`file:${path('key')}`])
    assert.equal(await stateOf(former), 'CURRENT')
    let during = ''
    const slow = watching('slow', async () => {
      during = await states(code)
      clock.advance(HOUR / 2)
    })
    const second = await rotate(code, sink(`file:${path('key')}`), slow)
    assert.equal(during, 'PENDING CURRENT')
    assert.equal(await states(code), 'CURRENT GRACE')
    assert.equal(await stateOf(read('key')), 'CURRENT')
    const [grace] = second.grace
    assert.equal(grace?.graceUntil, new Date(clock.now().getTime() + HOUR).toISOString())
    assert.deepEqual(await actions(code), [
      'api-key.prepare',
      'api-key.issue',
      'api-key.prepare',
      'api-key.rotate',
    ])
  })

  it('leaves nothing but a revoked row when a sink fails, and says what became of each', async () => {
    const code = await plant()
    await issue(code, sink(`file:${path('key')}`))
    const former = read('key')
    writeFileSync(path('env'), 'A=1\n')
    const error: unknown = await rotate(
      code,
      sink(`file:${path('key')}`),
      sink(`dotenv:${path('env')}#KEY`),
      sink('exec:exit 5'),
    ).catch((reason: unknown) => reason)
    assert.ok(error instanceof PartialError)
    assert.match(error.message, /ended with 5/)
    const { sinks } = error.result as { sinks: { outcome: string }[] }
    assert.deepEqual(
      sinks.map(({ outcome }) => outcome),
      ['put back', 'put back', 'failed'],
    )
    assert.equal(read('key'), former)
    assert.equal(read('env'), 'A=1')
    assert.equal(await states(code), 'REVOKED CURRENT')
    assert.equal(await stateOf(former), 'CURRENT')
    const { rows } = await fresh.database.query(
      `select from cleverctl.api_key where state = 'REVOKED' and sealed is not null`,
    )
    assert.equal(rows.length, 0)
  })

  it('is not made where it can be known beforehand that it cannot be delivered or come into force', async () => {
    const code = await plant()
    await assert.rejects(rotate(code, sink(`file:${path('key')}`)), ConflictError)
    await assert.rejects(issue(code, sink(`file:${path('no/key')}`)), UsageError)
    writeFileSync(path('mine'), 'mine')
    await assert.rejects(issue(code, sink(`file:${path('mine')}`)), ConflictError)
    assert.equal(await states(code), '')
    await issue(code, sink(`file:${path('key')}`))
    await assert.rejects(issue(code, sink(`file:${path('key')}`)), /has a current API key/)
    assert.equal(await states(code), 'CURRENT')
  })

  it('is refused while another delivery for the installation runs', async () => {
    const code = await plant()
    const meanwhile = watching('meanwhile', async () => {
      await assert.rejects(issue(code, sink('exec:true')), /another delivery/)
    })
    await issue(code, meanwhile)
    assert.equal(await states(code), 'CURRENT')
  })

  it('is taken back when the run is cancelled', async () => {
    const code = await plant()
    const stop = new AbortController()
    workspace = testWorkspace(staff.database, { clock, signal: stop.signal })
    const cancelling = watching('cancelling', async () => stop.abort(new Error('stopped')))
    await assert.rejects(
      issue(code, sink(`file:${path('key')}`), cancelling, sink('exec:true')),
      /stopped/,
    )
    workspace = testWorkspace(staff.database, { clock })
    assert.equal(existsSync(path('key')), false)
    assert.equal(await states(code), 'REVOKED')
  })

  it('is given up when a newer one is made without sinks, and then its delivery is taken back', async () => {
    const code = await plant()
    await issue(code, sink(`file:${path('key')}`))
    const former = read('key')
    const overtaking = watching('overtaking', async () => {
      await rotateApiKey(workspace, {
        installation: code,
        overlap: { graceMs: HOUR, adoption: undefined },
        lifetimeMs: undefined,
        delivery: fileDelivery(path('newer')),
      })
    })
    await assert.rejects(rotate(code, sink(`file:${path('key')}`), overtaking), /was revoked/)
    assert.equal(read('key'), former)
    assert.equal(await states(code), 'CURRENT REVOKED GRACE')
    assert.equal(await stateOf(read('newer')), 'CURRENT')
  })
})
