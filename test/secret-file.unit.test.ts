import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConflictError, FailureError, UsageError } from '../src/lib/errors.js'
import { fileDelivery } from '../src/lib/file-delivery.js'
import { leftover, openSecretFile } from '../src/lib/new-secret-file.js'
import { readSecretFile } from '../src/lib/secret-file.js'
import { Secret } from '../src/lib/secret.js'

const SECRET = 'clv_the-secret'
const repository = fileURLToPath(new URL('..', import.meta.url))

describe('secret files', () => {
  let folder: string
  let path: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cctl-secret-'))
    path = join(folder, 'key.txt')
  })
  afterEach(() => {
    chmodSync(folder, 0o700)
    rmSync(folder, { recursive: true })
  })

  const hasCommitted = (answer: boolean) => async (secret: Secret) => {
    assert.equal(secret.reveal(), SECRET)
    return answer
  }
  const deliver = async () => {
    const delivery = fileDelivery(path)
    assert.equal(await delivery.resume(hasCommitted(false)), false)
    await delivery.stage(new Secret(SECRET))
    await delivery.finish()
  }
  const isUsage = (text: string) => (error: unknown) =>
    error instanceof UsageError && error.message.includes(text)

  describe('reading', () => {
    const file = (content: string | Buffer, mode = 0o600) => {
      writeFileSync(path, content)
      chmodSync(path, mode)
      return readSecretFile(path)
    }

    it('cuts one newline off the end and nothing else', async () => {
      for (const [content, secret] of [
        ['a', 'a'],
        ['a\n', 'a'],
        ['a\r\n', 'a'],
        ['a\n\n', 'a\n'],
        [' a b ', ' a b '],
        ['ü\n', 'ü'],
      ] as const) {
        assert.equal((await file(content)).reveal(), secret)
      }
    })

    it('refuses a file that others can read, write or run', async () => {
      for (const mode of [0o640, 0o620, 0o610, 0o604, 0o602, 0o601]) {
        await assert.rejects(file('a', mode), isUsage('open to group or world'))
      }
    })

    it('refuses what is missing, empty, too big or no plain file', async () => {
      await assert.rejects(readSecretFile(join(folder, 'none')), isUsage('ENOENT'))
      await assert.rejects(file(''), isUsage('empty'))
      await assert.rejects(file('\n'), isUsage('empty'))
      await assert.rejects(file(Buffer.alloc(64 * 1024 + 1, 'a')), isUsage('larger'))
      await assert.rejects(readSecretFile(folder), isUsage('no plain file'))
      await assert.rejects(readSecretFile('/dev/null'), isUsage('no plain file'))
      spawnSync('mkfifo', ['-m', '600', join(folder, 'pipe')])
      await assert.rejects(readSecretFile(join(folder, 'pipe')), isUsage('no plain file'))
    })
  })

  describe('delivering', () => {
    it('leaves the secret and a newline, readable by its owner alone', async () => {
      await deliver()
      assert.equal(readFileSync(path, 'utf8'), `${SECRET}\n`)
      assert.equal(statSync(path).mode & 0o777, 0o600)
      assert.deepEqual(readdirSync(folder), ['key.txt'])
    })

    it('never overwrites', async () => {
      writeFileSync(path, 'precious')
      const delivery = fileDelivery(path)
      await delivery.resume(hasCommitted(false))
      await assert.rejects(delivery.stage(new Secret(SECRET)), ConflictError)
      await delivery.discard()
      assert.equal(readFileSync(path, 'utf8'), 'precious')
      assert.deepEqual(readdirSync(folder), ['key.txt'])
    })

    it('never overwrites a file that came while it was writing', async () => {
      const file = await openSecretFile(path)
      await file.write('x')
      writeFileSync(path, 'precious')
      await assert.rejects(file.publish(), ConflictError)
      await file.discard()
      assert.equal(readFileSync(path, 'utf8'), 'precious')
      assert.deepEqual(readdirSync(folder), ['key.txt'])
    })

    it('leaves nothing after a rollback', async () => {
      const delivery = fileDelivery(path)
      await delivery.stage(new Secret(SECRET))
      await delivery.discard()
      assert.deepEqual(readdirSync(folder), [])
    })

    it('lets one of two runs at a time write a file', async () => {
      const file = await openSecretFile(path)
      await assert.rejects(openSecretFile(path), ConflictError)
      await file.discard()
    })

    it('puts the secret back when another run took its file for an abandoned one', async () => {
      const delivery = fileDelivery(path)
      await delivery.stage(new Secret(SECRET))
      await fileDelivery(path).resume(hasCommitted(false))
      assert.deepEqual(readdirSync(folder), [])
      await delivery.finish()
      assert.equal(readFileSync(path, 'utf8'), `${SECRET}\n`)
      assert.deepEqual(readdirSync(folder), ['key.txt'])
    })

    it('says so when the secret cannot be put back', async () => {
      const delivery = fileDelivery(path)
      await delivery.stage(new Secret(SECRET))
      await fileDelivery(path).resume(hasCommitted(false))
      writeFileSync(path, 'of somebody else')
      await assert.rejects(delivery.finish(), FailureError)
      assert.equal(readFileSync(path, 'utf8'), 'of somebody else')
    })

    it('refuses a place where no file can be made, and names it', async () => {
      const places: [string, string][] = [
        [join(folder, 'none', 'key.txt'), join(folder, 'none')],
        [folder, folder],
        ['/dev/null', '/dev/null'],
        ['', 'empty'],
        [join(folder, 'link'), join(folder, 'link')],
        [join(folder, 'plain', 'key.txt'), join(folder, 'plain')],
      ]
      symlinkSync(join(folder, 'target'), join(folder, 'link'))
      writeFileSync(join(folder, 'plain'), '')
      for (const [place, named] of places) {
        await assert.rejects(openSecretFile(place), isUsage(named), place)
        await assert.rejects(fileDelivery(place).resume(hasCommitted(false)), isUsage(named), place)
      }
      assert.equal(existsSync(join(folder, 'target')), false)
    })

    it('refuses a folder in which nobody can make a file', async function () {
      if (process.platform !== 'linux') this.skip()
      await assert.rejects(openSecretFile('/proc/key.txt'), isUsage('/proc/key.txt'))
    })

    it('touches nothing under the name of its unsettled file that it did not make', async () => {
      writeFileSync(`${path}.pending`, 'notes', { mode: 0o644 })
      await assert.rejects(fileDelivery(path).resume(hasCommitted(false)), ConflictError)
      assert.equal(readFileSync(`${path}.pending`, 'utf8'), 'notes')
      rmSync(`${path}.pending`)
      symlinkSync('/etc/passwd', `${path}.pending`)
      await assert.rejects(fileDelivery(path).resume(hasCommitted(false)), ConflictError)
      rmSync(`${path}.pending`)
      mkdirSync(`${path}.pending`)
      await assert.rejects(fileDelivery(path).resume(hasCommitted(false)), ConflictError)
    })
  })

  describe('streaming', () => {
    it('knows the digest of a large file while and after it is written', async () => {
      const chunks = Array.from({ length: 300 }, () => randomBytes(10_000).toString('base64'))
      const file = await openSecretFile(path)
      for (const chunk of chunks) await file.write(chunk)
      const digest = createHash('sha256').update(chunks.join('')).digest()
      assert.deepEqual(file.sha256(), digest)
      await file.publish()
      const left = await leftover(path)
      assert.deepEqual(await left?.sha256(), digest)
      assert.equal(await left?.secret(), undefined, 'a large file is not one secret')
      await left?.close()
      await file.finish()
      assert.equal(readFileSync(path, 'utf8'), chunks.join(''))
      assert.equal(await leftover(path), undefined)
    })

    it('can be read after its own run settled it, and stays where that run put it', async () => {
      const file = await openSecretFile(path)
      await file.write('settled meanwhile\n')
      await file.publish()
      const left = await leftover(path)
      await file.finish()
      assert.equal((await left?.secret())?.reveal(), 'settled meanwhile')
      await left?.complete()
      await left?.close()
      assert.equal(readFileSync(path, 'utf8'), 'settled meanwhile\n')
      assert.equal(await leftover(path), undefined)
    })

    it('puts a large file back whole', async () => {
      const content = randomBytes(3_000_000)
      const file = await openSecretFile(path)
      await file.write(content)
      await file.publish()
      const left = await leftover(path)
      await left?.discard()
      await left?.close()
      await file.finish()
      assert.ok(readFileSync(path).equals(content))
    })
  })

  describe('after a kill', () => {
    /** The states between any two steps, as kill -9 leaves them. */
    const killed: Record<string, { script: string; wasWritten: boolean }> = {
      'before the first byte': {
        script: 'await openSecretFile(path); kill()',
        wasWritten: false,
      },
      'in the middle of the secret': {
        script: 'const file = await openSecretFile(path); await file.write(secret); kill()',
        wasWritten: false,
      },
      'before the file is in its place': {
        script: 'const file = await openSecretFile(path); await file.write(secret + "\\n"); kill()',
        wasWritten: true,
      },
      'before the commit, or right after it': {
        script: 'await fileDelivery(path).stage(new Secret(secret)); kill()',
        wasWritten: true,
      },
    }
    const module = (name: string) => JSON.stringify(join(repository, `src/lib/${name}.ts`))
    const runKilled = (script: string) => {
      const program = `
        import { fileDelivery } from ${module('file-delivery')}
        import { openSecretFile } from ${module('new-secret-file')}
        import { Secret } from ${module('secret')}
        const path = ${JSON.stringify(path)}, secret = ${JSON.stringify(SECRET)}
        const kill = () => process.kill(process.pid, 'SIGKILL')
        ${script}
        await new Promise(() => setInterval(() => {}, 1000))`
      const { signal, stderr } = spawnSync(
        process.execPath,
        ['--import', 'tsx', '--input-type=module', '-e', program],
        { cwd: repository, encoding: 'utf8', timeout: 30_000 },
      )
      assert.equal(signal, 'SIGKILL', stderr)
    }

    for (const [moment, { script, wasWritten }] of Object.entries(killed)) {
      it(`starts anew when killed ${moment} and not committed`, async () => {
        runKilled(script)
        const delivery = fileDelivery(path)
        assert.equal(await delivery.resume(hasCommitted(false)), false)
        assert.deepEqual(readdirSync(folder), [])
        await deliver()
        assert.equal(readFileSync(path, 'utf8'), `${SECRET}\n`)
        assert.deepEqual(readdirSync(folder), ['key.txt'])
      })

      if (wasWritten) {
        it(`completes the delivery when killed ${moment} and committed`, async () => {
          runKilled(script)
          assert.equal(await fileDelivery(path).resume(hasCommitted(true)), true)
          assert.equal(readFileSync(path, 'utf8'), `${SECRET}\n`)
          assert.deepEqual(readdirSync(folder), ['key.txt'])
          assert.equal(await fileDelivery(path).resume(hasCommitted(true)), false)
        })
      }
    }

    it('settles what a kill in the middle of settling left', async () => {
      // Discarding removes FILE first: a kill in between leaves FILE.pending alone.
      writeFileSync(`${path}.pending`, `${SECRET}\n`, { mode: 0o600 })
      assert.equal(await fileDelivery(path).resume(hasCommitted(false)), false)
      assert.deepEqual(readdirSync(folder), [])
      // Completing removes FILE.pending last: a kill before it leaves both.
      writeFileSync(`${path}.pending`, `${SECRET}\n`, { mode: 0o600 })
      linkSync(`${path}.pending`, path)
      assert.equal(await fileDelivery(path).resume(hasCommitted(true)), true)
      assert.deepEqual(readdirSync(folder), ['key.txt'])
    })

    it('does not touch a file of somebody else that came into the place meanwhile', async () => {
      writeFileSync(`${path}.pending`, `${SECRET}\n`, { mode: 0o600 })
      writeFileSync(path, 'precious')
      await assert.rejects(fileDelivery(path).resume(hasCommitted(true)), (error) => {
        assert.ok(error instanceof ConflictError)
        assert.match(error.suggestions.join(), /key\.txt\.pending/)
        return true
      })
      assert.equal(await fileDelivery(path).resume(hasCommitted(false)), false)
      assert.deepEqual(readdirSync(folder), ['key.txt'])
      assert.equal(readFileSync(path, 'utf8'), 'precious')
    })
  })
})
