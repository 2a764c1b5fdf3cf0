import assert from 'node:assert/strict'
import { mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConflictError } from '../../src/lib/errors.js'
import { RejectFile } from '../../src/lib/rows/reject-file.js'

const reject = { line: 3, code: 'bad-serial', reason: 'a "serial" is', raw: '=cmd|x,"\n\u001b[2J' }

describe('the reject file', () => {
  let folder: string
  let path: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cctl-rejects-'))
    path = join(folder, 'rejects.csv')
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('lists rows so that neither a terminal nor a spreadsheet obeys them', async () => {
    const file = await RejectFile.at(path)
    await file.add([reject])
    assert.equal(await file.publish(), true)
    assert.equal(
      await readFile(path, 'utf8'),
      `line,code,reason,row\n3,bad-serial,"a ""serial"" is","'=cmd|x,""\\x0a\\x1b[2J"\n`,
    )
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    assert.deepEqual(await readdir(folder), ['rejects.csv'])
  })

  it('takes the file of an earlier run away when no row was refused', async () => {
    const first = await RejectFile.at(path)
    await first.add([reject])
    await first.publish()
    const second = await RejectFile.at(path)
    assert.equal(await second.publish(), false)
    assert.deepEqual(await readdir(folder), [])
  })

  it('leaves the file of an earlier run as it is when the run fails', async () => {
    const first = await RejectFile.at(path)
    await first.add([reject])
    await first.publish()
    const before = await readFile(path, 'utf8')
    const second = await RejectFile.at(path)
    await second.add([reject, reject])
    await second.discard()
    assert.equal(await readFile(path, 'utf8'), before)
    assert.deepEqual(await readdir(folder), ['rejects.csv'])
  })

  it('says that the disk is full', async function () {
    if (process.platform !== 'linux') this.skip()
    const file = await RejectFile.at(path)
    await symlink('/dev/full', `${path}.${process.pid}.tmp`)
    await assert.rejects(file.add([reject]), {
      code: 'cannot-write',
      exitCode: 1,
      message: `cannot write ${path} (ENOSPC)`,
    })
    await file.discard()
    assert.deepEqual(await readdir(folder), [])
  })

  it('does not overwrite a file that is something else', async () => {
    for (const content of ['', 'line,cod', 'precious\n']) {
      await writeFile(path, content)
      await assert.rejects(RejectFile.at(path), ConflictError)
      assert.equal(await readFile(path, 'utf8'), content)
    }
  })
})
