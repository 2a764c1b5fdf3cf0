import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from '../src/lib/errors.js'
import { makeFolder } from '../src/lib/file-system.js'

describe('making a folder', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cctl-folder-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const isRefused = (path: string) =>
    assert.rejects(
      makeFolder(path, 0o700),
      (error) => error instanceof UsageError && error.message.includes(`cannot make folder /`),
    )

  it('makes what is missing above it too, and says whether it made anything', async () => {
    const path = join(folder, 'a', 'b')
    assert.equal(await makeFolder(path, 0o700), true)
    assert.equal(statSync(path).mode & 0o777, 0o700)
    assert.equal(statSync(join(folder, 'a')).mode & 0o777, 0o700)
    assert.equal(await makeFolder(path, 0o700), false)
  })

  it('may be asked by many at once', async () => {
    const path = join(folder, 'a', 'b', 'c')
    const made = await Promise.all(Array.from({ length: 20 }, () => makeFolder(path, 0o700)))
    assert.equal(made.filter(Boolean).length, 1)
  })

  it('ends where the file system lets nothing be made', async function () {
    if (process.platform !== 'linux') this.skip()
    await isRefused('/proc/x')
    await isRefused('/proc/x/y/z')
  })

  it('takes no file for a folder', async () => {
    writeFileSync(join(folder, 'file'), '')
    await isRefused(join(folder, 'file'))
    await isRefused(join(folder, 'file', 'within'))
  })
})
