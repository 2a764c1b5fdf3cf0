import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateApiKey } from '../../src/lib/api-key/format.js'
import { systemRandom } from '../../src/lib/clock.js'
import { ConflictError, FailureError, UsageError } from '../../src/lib/errors.js'
import { execSink } from '../../src/lib/sink/exec.js'
import { handOut, SinkFailure } from '../../src/lib/sink/hand-out.js'
import { parseSink } from '../../src/lib/sink/parse.js'
import type { SinkSurroundings } from '../../src/lib/sink/types.js'
import { ProcessList } from '../support/process-list.js'

const newKey = () => generateApiKey(systemRandom).apiKey

describe('sinks', () => {
  let folder: string
  let said: string[]
  let stop: AbortController
  let surroundings: SinkSurroundings

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cctl-sink-'))
    said = []
    stop = new AbortController()
    surroundings = {
      random: { bytes: (size) => randomBytes(size) },
      log: { debug: (message) => void said.push(message) },
      signal: stop.signal,
    }
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const path = (name: string) => join(folder, name)
  const read = (name: string) => readFileSync(path(name), 'utf8')
  const mode = (name: string) => statSync(path(name)).mode & 0o777
  const sink = (text: string, environment: NodeJS.ProcessEnv = {}) => parseSink(text, environment)

  describe('a file', () => {
    it('is made for its owner alone, and taken away when put back', async () => {
      const key = newKey()
      const delivered = await sink(`file:${path('key')}`).deliver(key, surroundings)
      assert.equal(read('key'), `${key.reveal()}\n`)
      assert.equal(mode('key'), 0o600)
      await delivered.putBack()
      assert.deepEqual(readdirSync(folder), [])
    })

    it('replaces one that holds a key, mode 0600 in any case, and is put back whole', async () => {
      const former = `${newKey().reveal()}\n`
      writeFileSync(path('key'), former, { mode: 0o644 })
      const key = newKey()
      const delivered = await sink(`file:${path('key')}`).deliver(key, surroundings)
      assert.equal(read('key'), `${key.reveal()}\n`)
      assert.equal(mode('key'), 0o600)
      await delivered.putBack()
      assert.equal(read('key'), former)
      assert.equal(mode('key'), 0o644)
      assert.deepEqual(readdirSync(folder), ['key'])
    })

    it('replaces nothing else, follows no link, and is not put back over a change of somebody else', async () => {
      writeFileSync(path('mine'), 'dear diary\n')
      const other = sink(`file:${path('mine')}`)
      await assert.rejects(other.check(), ConflictError)
      await assert.rejects(other.deliver(newKey(), surroundings), ConflictError)
      assert.equal(read('mine'), 'dear diary\n')
      symlinkSync(path('mine'), path('link'))
      await assert.rejects(sink(`file:${path('link')}`).check(), UsageError)
      await assert.rejects(sink(`file:${path('no/folder')}`).check(), UsageError)
      const delivered = await sink(`file:${path('key')}`).deliver(newKey(), surroundings)
      writeFileSync(path('key'), 'changed')
      await assert.rejects(delivered.putBack(), ConflictError)
      assert.equal(read('key'), 'changed')
    })
  })

  describe('a variable of a file', () => {
    for (const { title, before, after } of [
      { title: 'is added', before: 'A=1\n', after: 'A=1\nKEY=*\n' },
      { title: 'is added after a last line without an end', before: 'A=1', after: 'A=1\nKEY=*\n' },
      {
        title: 'is replaced in its place',
        before: 'A=1\nKEY=x\nB=2\n',
        after: 'A=1\nKEY=*\nB=2\n',
      },
      { title: 'is replaced in quotes', before: `KEY="a b" # c\n`, after: 'KEY=*\n' },
      { title: 'is replaced after export', before: '  export KEY = x', after: '  export KEY =*' },
      { title: 'keeps CR LF', before: 'KEY=x\r\nA=1\r\n', after: 'KEY=*\r\nA=1\r\n' },
      {
        title: 'is replaced wherever it stands',
        before: 'KEY=x\nKEY=y\n',
        after: 'KEY=*\nKEY=*\n',
      },
      {
        title: 'is not taken for another one',
        before: 'MY_KEY=x\nKEYS=y\n#KEY=z\n',
        after: 'MY_KEY=x\nKEYS=y\n#KEY=z\nKEY=*\n',
      },
    ]) {
      it(title, async () => {
        writeFileSync(path('env'), before)
        chmodSync(path('env'), 0o640)
        const key = newKey()
        const delivered = await sink(`dotenv:${path('env')}#KEY`).deliver(key, surroundings)
        assert.equal(read('env'), after.replaceAll('*', key.reveal()))
        assert.equal(mode('env'), 0o640)
        await delivered.putBack()
        assert.equal(read('env'), before)
        assert.equal(mode('env'), 0o640)
      })
    }

    it('makes the file, for its owner alone', async () => {
      const delivered = await sink(`gitlab-dotenv:${path('env')}#KEY`).deliver(
        newKey(),
        surroundings,
      )
      assert.match(read('env'), /^KEY=clv_live_\w+\n$/)
      assert.equal(mode('env'), 0o600)
      await delivered.putBack()
      assert.equal(existsSync(path('env')), false)
    })

    it('is refused where its value goes over several lines', async () => {
      const text = 'KEY="one\ntwo"\nB=2\n'
      writeFileSync(path('env'), text)
      await assert.rejects(sink(`dotenv:${path('env')}#KEY`).check(), ConflictError)
      await assert.rejects(
        sink(`dotenv:${path('env')}#KEY`).deliver(newKey(), surroundings),
        ConflictError,
      )
      assert.equal(read('env'), text)
    })

    it('is set although a run that was killed left its draft', async () => {
      writeFileSync(path('env.cleverctl-draft'), 'half a k', { mode: 0o600 })
      await sink(`dotenv:${path('env')}#KEY`).deliver(newKey(), surroundings)
      assert.deepEqual(readdirSync(folder), ['env'])
    })

    it('loses nothing when several are set at the same moment', async () => {
      const both = ['ONE', 'TWO', 'THREE', 'FOUR'].map((name) =>
        sink(`dotenv:${path('env')}#${name}`),
      )
      const ends = await Promise.allSettled(
        both.map((each) => each.deliver(newKey(), surroundings)),
      )
      assert.equal(ends.filter(({ status }) => status === 'rejected').length, 0)
      assert.match(read('env'), /^ONE=/m)
      assert.match(read('env'), /^TWO=/m)
      assert.equal(read('env').split('\n').length, 5)
    })
  })

  describe('the environment of a job of GitHub Actions', () => {
    it('is appended to in the form with a delimiter, and cut when put back', async () => {
      writeFileSync(path('env'), 'A=1\n')
      const key = newKey()
      const target = sink('github-env:KEY', { GITHUB_ENV: path('env') })
      const delivered = await target.deliver(key, surroundings)
      const [, delimiter, value] = /^A=1\nKEY<<(\w+)\n(.*)\n\1\n$/.exec(read('env')) ?? []
      assert.ok(delimiter)
      assert.equal(value, key.reveal())
      await delivered.putBack()
      assert.equal(read('env'), 'A=1\n')
      const again = await target.deliver(key, surroundings)
      appendFileSync(path('env'), 'B=2\n')
      await assert.rejects(again.putBack(), FailureError)
      assert.match(read('env'), /B=2\n$/)
    })

    it('must be there', async () => {
      await assert.rejects(sink('github-env').check(), UsageError)
    })
  })

  describe('a command', () => {
    it('gets the key on its stdin, exactly, and in no argument or environment of any process', async () => {
      const key = newKey()
      const seen = new ProcessList()
      seen.start()
      const command = `cat >'${path('got')}'; env >'${path('env')}'; tr '\\0' ' ' </proc/$$/cmdline >'${path('line')}'; sleep 0.3`
      await sink(`exec:${command}`).deliver(key, surroundings)
      seen.stop()
      assert.equal(read('got'), key.reveal())
      assert.ok(read('env').includes('PATH='))
      assert.ok(seen.text().includes('sleep 0.3'))
      for (const text of [read('env'), read('line'), seen.text()])
        assert.equal(text.includes(key.reveal()), false)
    })

    it('confirms by ending with 0 alone; what it says is detail, the key taken out', async () => {
      const key = newKey()
      const target = sink('exec:cat; echo; echo nope >&2; exit 7')
      await assert.rejects(target.deliver(key, surroundings), /ended with 7.*cannot be undone/)
      assert.deepEqual(said.sort(), ['exec: [secret]', 'exec: nope'])
      await assert.rejects(sink('exec:kill -9 $$').deliver(key, surroundings), /SIGKILL/)
      await assert.rejects(
        sink('exec:no-such-program').deliver(key, surroundings),
        /ended with 127/,
      )
    })

    it('need not read what it is given', () => sink('exec:true').deliver(newKey(), surroundings))

    it('is killed with all it has started when it takes too long or is cancelled', async () => {
      const mark = `3${String(process.pid)}`
      const lasting = `sleep ${mark} & sleep ${mark}`
      await assert.rejects(
        execSink(lasting, 200).deliver(newKey(), surroundings),
        /took over 0.2 s/,
      )
      const cancelled = execSink(lasting).deliver(newKey(), surroundings)
      setTimeout(() => stop.abort(new Error('stopped')), 200)
      await assert.rejects(cancelled, /stopped/)
      const left = new ProcessList()
      left.start()
      await new Promise((resolve) => setTimeout(resolve, 100))
      left.stop()
      assert.equal(left.text().includes(mark), false)
    })
  })

  describe('several', () => {
    it('are put back when one fails, and those that cannot be come last', async () => {
      writeFileSync(path('env'), 'A=1\n')
      const sinks = [
        sink(`exec:cat >'${path('got')}'`),
        sink(`file:${path('key')}`),
        sink(`dotenv:${path('env')}#KEY`),
        sink('exec:exit 1'),
      ]
      const failure: unknown = await handOut(sinks, newKey(), surroundings).catch(
        (error: unknown) => error,
      )
      assert.ok(failure instanceof SinkFailure)
      assert.deepEqual(
        failure.reports.map(({ outcome }) => outcome),
        ['put back', 'put back', 'kept', 'failed'],
      )
      assert.equal(existsSync(path('key')), false)
      assert.equal(read('env'), 'A=1\n')
      const early = await handOut(
        [sinks[3], sinks[0]].filter((each) => each !== undefined),
        newKey(),
        surroundings,
      ).catch((error: unknown) => error)
      assert.ok(early instanceof SinkFailure)
      assert.deepEqual(
        early.reports.map(({ outcome }) => outcome),
        ['failed', 'not tried'],
      )
    })
  })

  it('are told from anything else', () => {
    for (const text of [
      '',
      'file',
      'file:',
      'exec:',
      'dotenv:a',
      'dotenv:#A',
      'dotenv:a#',
      'dotenv:a#1',
      'dotenv:a#A-B',
      'github-env:A=B',
      'gitlab-dotenv:a',
      'vault:x',
      '__proto__:x',
    ])
      assert.throws(() => sink(text), UsageError, text)
    assert.equal(sink('github-env').name, 'github-env:CLEVERCTL_API_KEY')
    assert.equal(sink('dotenv:a#b#C').name, 'dotenv:a#b#C')
    assert.equal(sink('exec:curl -H secret').name, 'exec')
  })
})
