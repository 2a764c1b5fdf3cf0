import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withStartLock } from '../../src/lib/database/embedded/start-lock.js'
import { CancelledError, ConflictError } from '../../src/lib/errors.js'

describe('the lock of a start', () => {
  let folder: string
  let file: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cctl-lock-'))
    file = join(folder, 'lock')
  })
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  const signal = undefined
  const quick = { signal, patienceMs: 100 }

  it('lets one work at a time', async () => {
    let inside = 0
    const work = async (): Promise<void> => {
      assert.equal(++inside, 1)
      await new Promise((resolve) => setTimeout(resolve, 5))
      inside--
    }
    await Promise.all(Array.from({ length: 10 }, () => withStartLock(file, { signal }, work)))
    assert.deepEqual(readdirSync(folder), [])
  })

  it('is let go when the work fails', async () => {
    const reason = new Error('work failed')
    await assert.rejects(
      withStartLock(file, quick, () => Promise.reject(reason)),
      reason,
    )
    assert.equal(existsSync(file), false)
  })

  it('is taken from a process that is no more', async () => {
    const child = spawn('true', { stdio: 'ignore' })
    await new Promise((resolve) => child.on('exit', resolve))
    writeFileSync(file, `${child.pid} 1`)
    assert.equal(
      await withStartLock(file, quick, async () => readFileSync(file, 'utf8').split(' ')[0]),
      String(process.pid),
    )
    assert.deepEqual(readdirSync(folder), [])
  })

  it('is taken from a process whose id now belongs to another', async function () {
    if (process.platform !== 'linux') return this.skip()
    writeFileSync(file, `${process.pid} 1`)
    await withStartLock(file, quick, async () => undefined)
  })

  it('is taken when its maker was killed before writing into it', async () => {
    writeFileSync(file, '')
    utimesSync(file, new Date(0), new Date(0))
    await withStartLock(file, quick, async () => undefined)
  })

  it('is waited for, and then its holder is named', async () => {
    await withStartLock(file, quick, async () => {
      await assert.rejects(
        withStartLock(file, quick, async () => undefined),
        (error) => {
          assert.ok(error instanceof ConflictError)
          assert.match(error.message, new RegExp(`process ${process.pid} `))
          return true
        },
      )
    })
  })

  it('is not waited for any longer when the user asks to stop', async () => {
    const controller = new AbortController()
    await withStartLock(file, quick, async () => {
      const waiter = withStartLock(file, { signal: controller.signal }, async () => undefined)
      controller.abort(new CancelledError())
      await assert.rejects(waiter, CancelledError)
    })
  })
})
