import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { runCli, runCliTty, type CliOptions, type CliResult } from '../support/cli.js'
import { buildFixture, type Fixture } from '../support/fixture.js'

const execute = promisify(execFile)
const ESCAPE = '\u001b'
const MARKER = 'marker-secret-7'

/** What the stack does by itself and this program must not; each was seen to happen without its guard. */
describe('traps of the stack', () => {
  let fixture: Fixture
  let folder: string

  before(async () => {
    fixture = await buildFixture()
    folder = mkdtempSync(join(tmpdir(), 'cctl-traps-'))
  })
  after(() => {
    fixture.remove()
    rmSync(folder, { recursive: true })
  })

  const thing = (args: readonly string[], options: CliOptions = {}): Promise<CliResult> =>
    runCli(['thing', ...args], { ...options, program: fixture.program })
  const inTerminal = (args: readonly string[], options: Parameters<typeof runCliTty>[1] = {}) =>
    runCliTty(args, { ...options, program: fixture.program })

  const errorOf = (result: CliResult) => {
    const { error } = result.json() as { error: { code: string; exitCode: number } }
    return error
  }

  describe('exit codes', () => {
    const EXPECTED = {
      failure: 1,
      usage: 2,
      partial: 3,
      refused: 4,
      notFound: 5,
      conflict: 6,
      unreachable: 7,
      findings: 8,
    }
    for (const [kind, code] of Object.entries(EXPECTED)) {
      it(`${kind} is ${code}, with and without --json`, async () => {
        const [text, json, variable] = await Promise.all([
          thing(['fail', '--as', kind]),
          thing(['fail', '--as', kind, '--json']),
          thing(['fail', '--as', kind], { env: { CLEVERCTL_CONTENT_TYPE: 'json' } }),
        ])
        assert.deepEqual([text.code, json.code, variable.code], [code, code, code])
        assert.equal(errorOf(json).exitCode, code)
        assert.deepEqual(variable.json(), json.json())
        assert.equal(json.stderr, '')
      })
    }

    it('wrong usage is 2 with and without --json', async () => {
      for (const args of [
        ['take'],
        ['take', 'a', '--nope'],
        ['take', 'a', 'b', 'c'],
        ['nothing'],
      ]) {
        const [text, json] = await Promise.all([thing(args), thing([...args, '--json'])])
        assert.deepEqual([text.code, json.code], [2, 2], args.join(' '))
        assert.equal(text.stdout, '')
        assert.equal(errorOf(json).exitCode, 2)
      }
    })

    it('a bug is 70 with and without --json', async () => {
      const [text, json] = await Promise.all([
        thing(['break', '--by', 'slip']),
        thing(['break', '--by', 'slip', '--json']),
      ])
      assert.deepEqual([text.code, json.code], [70, 70])
      assert.equal(errorOf(json).code, 'bug')
    })

    it('what was learned before a failure is in the document and on the screen', async () => {
      const [text, json] = await Promise.all([
        thing(['fail', '--as', 'partial']),
        thing(['fail', '--as', 'partial', '--json']),
      ])
      assert.equal(text.stdout, 'done CDX-000123\n')
      const { error, ...learned } = json.json() as { error: { code: string } }
      assert.equal(typeof error.code, 'string')
      assert.deepEqual(learned, { done: ['CDX-000123'] })
    })
  })

  describe('values that may be secrets', () => {
    const MISPLACED = [
      ['take', '--nope', MARKER],
      ['take', `--nope=${MARKER}`],
      ['take', `-p${MARKER}`],
      ['take', 'a', 'b', MARKER],
      ['take', 'a', '--ttl', MARKER],
      ['take', 'a', '--state', MARKER],
      ['take', 'a', '--limit', MARKER],
      ['take', 'a', '--token', MARKER, '--file', MARKER],
      ['ask', '--name', 'a', '--password-file', '-', MARKER],
      ['no-such-command', MARKER],
      [MARKER],
    ]
    for (const args of MISPLACED) {
      it(`are not repeated by the error about: ${args.join(' ')}`, async () => {
        for (const more of [[], ['--json'], ['--verbose']]) {
          const result = await thing([...args, ...more], { env: { CLEVERCTL_TEST_TOKEN: MARKER } })
          assert.equal(result.code, 2)
          assert.ok(
            !(result.stdout + result.stderr).includes(MARKER),
            result.stdout + result.stderr,
          )
        }
      })
    }

    it('do not follow a parser error out of the environment, nor does any other context', async () => {
      const result = await thing(['take', 'a', '--nope', '--json'], {
        env: { CLEVERCTL_TEST_TOKEN: MARKER },
      })
      const error = errorOf(result)
      assert.deepEqual(Object.keys(error), ['code', 'exitCode', 'message', 'suggestions'])
      assert.ok(!result.stdout.includes(MARKER))
    })

    for (const by of ['driver', 'parse', 'cause', 'text', 'file', 'later']) {
      it(`do not leave with an unexpected error (${by}), whatever is asked for`, async () => {
        for (const more of [[], ['--json'], ['--verbose'], ['--json', '--verbose']]) {
          const result = await thing(['break', '--by', by, ...more])
          assert.equal(result.code, by === 'file' ? 1 : 70)
          assert.ok(!(result.stdout + result.stderr).includes('row-secret'))
          if (more.includes('--json')) result.json()
        }
      })
    }

    it('--verbose still tells where a fault came from', async () => {
      const { stderr } = await thing(['break', '--by', 'slip', '--verbose'])
      assert.match(stderr, /^debug: TypeError: Cannot read properties of undefined/m)
      assert.match(stderr, /^ +at .*break\.js/m)
    })

    it('do not get into the manifest or into help by way of a default', async () => {
      const env = {
        CLEVERCTL_DATABASE_URL: `postgres://a:${MARKER}@b/c`,
        CLEVERCTL_TEST_TOKEN: MARKER,
      }
      const script = `import { Plugin } from '@oclif/core'
        const plugin = new Plugin({ root: process.argv[1], ignoreManifest: true, type: 'core' })
        await plugin.load()
        process.stdout.write(JSON.stringify(plugin.manifest))`
      for (const root of [join(fixture.program, '../..'), process.cwd()]) {
        const { stdout } = await execute(
          process.execPath,
          ['--input-type=module', '-e', script, root],
          { env: { PATH: process.env['PATH'], ...env }, maxBuffer: 1e8 },
        )
        assert.ok(Object.keys((JSON.parse(stdout) as { commands: object }).commands).length > 0)
        assert.ok(!stdout.includes(MARKER))
      }
      const help = await thing(['take', '--help'], { env })
      assert.ok(!help.stdout.includes(MARKER))
    })

    it('are not logged by DEBUG=*', async () => {
      const file = join(folder, 'debugged')
      writeFileSync(file, `${MARKER}\n`, { mode: 0o600 })
      const result = await thing(['ask', '--name', 'a', '--password-file', file, '--yes'], {
        env: { DEBUG: '*' },
      })
      assert.equal(result.code, 0)
      assert.ok(!(result.stdout + result.stderr).includes(MARKER))
    })
  })

  describe('results', () => {
    for (const by of ['undefined', 'zero', 'false']) {
      it(`${by} is a bug and not an empty success`, async () => {
        const result = await thing(['break', '--by', by, '--json'])
        assert.equal(result.code, 70)
        assert.equal(errorOf(result).code, 'bug')
      })
    }

    it('a reader that goes away ends the program quietly', async () => {
      const { stdout, stderr } = await execute('/bin/sh', [
        '-c',
        `'${process.execPath}' '${fixture.program}' thing print | head -1; echo done`,
      ])
      assert.equal(stdout, 'line 1\ndone\n')
      assert.equal(stderr, '')
    })

    it('a result that cannot be written is a failure', async function () {
      if (process.platform !== 'linux') this.skip()
      const command = `'${process.execPath}' '${fixture.program}' thing print >/dev/full`
      const failed = await execute('/bin/sh', ['-c', command]).catch(
        (error: { code: number; stderr: string }) => error,
      )
      assert.deepEqual(
        { code: 'code' in failed && failed.code, stderr: failed.stderr },
        {
          code: 1,
          stderr: 'error: the result cannot be written to stdout (ENOSPC)\n',
        },
      )
    })
  })

  it('a switch that is not given is false in a result, and not missing', async () => {
    const [without, given] = await Promise.all([
      thing(['take', 'a', '--json']),
      thing(['take', 'a', '--force', '--json']),
    ])
    assert.deepEqual(without.json(), { name: 'a', isForced: false })
    assert.deepEqual(given.json(), { name: 'a', isForced: true })
  })

  describe('stdin', () => {
    it('is not swallowed by arguments', async () => {
      const [optional, required] = await Promise.all([
        thing(['take', 'a', '--json'], { input: 'stolen\n' }),
        thing(['take', '--json'], { input: 'stolen\n' }),
      ])
      assert.equal((optional.json() as { name: string }).name, 'a')
      assert.equal(required.code, 2)
    })

    it('a loop over lines runs once for each line', async () => {
      const loop = `printf 'r1\\nr2\\nr3\\n' | while read r; do '${process.execPath}' '${fixture.program}' thing take "$r"; done`
      const { stdout } = await execute('/bin/sh', ['-c', loop])
      assert.equal(stdout, 'name\tr1\nname\tr2\nname\tr3\n')
    })

    const ASK = ['ask', '--name', 'a', '--yes', '--json', '--password-file', '-']
    it('gives a secret however late it comes', async () => {
      const result = await thing(ASK, {
        input: { open: true },
        onStart: (child) => setTimeout(() => child.stdin?.end('ten-letter\n'), 1500),
      })
      assert.deepEqual(result.json(), { name: 'a', secretLength: 10 })
    })

    it('gives no secret when it is empty', async () => {
      const result = await thing(ASK, { input: '' })
      assert.equal(result.code, 2)
      assert.equal(errorOf(result).code, 'secret-empty')
    })
  })

  describe('colour', () => {
    const QUIET_SURROUNDINGS: Record<string, string>[] = [
      { NO_COLOR: '1' },
      { NO_COLOR: '1', FORCE_COLOR: '1' },
      { TERM: 'dumb' },
      { CI: 'true' },
    ]
    for (const env of QUIET_SURROUNDINGS) {
      it(`is off on a terminal with ${JSON.stringify(env)}`, async () => {
        const all = await Promise.all([
          inTerminal(['thing', 'draw'], { env }),
          inTerminal(['thing', 'fail', '--as', 'usage'], { env }),
          inTerminal(['thing', 'take', '--help'], { env }),
          inTerminal(['help', 'thing', 'take'], { env }),
        ])
        for (const { raw } of all) assert.ok(!raw.includes(ESCAPE), raw)
      })
    }

    it('is on in a plain terminal', async () => {
      const [draw, fail] = await Promise.all([
        inTerminal(['thing', 'draw']),
        inTerminal(['thing', 'fail', '--as', 'usage']),
      ])
      assert.ok(draw.raw.includes(`${ESCAPE}[31mfailure`))
      assert.ok(fail.raw.includes(`${ESCAPE}[31merror:`))
    })

    it('is never in a pipe, nor in JSON on a terminal', async () => {
      const [draw, help, json] = await Promise.all([
        thing(['draw'], { env: { FORCE_COLOR: '1' } }),
        thing(['take', '--help'], { env: { CI: 'true', GITHUB_ACTIONS: 'true' } }),
        inTerminal(['thing', 'draw', '--json']),
      ])
      for (const text of [draw.stdout, help.stdout, json.raw]) assert.ok(!text.includes(ESCAPE))
    })
  })

  describe('questions', () => {
    it('go to stderr; stdout is the result alone', async () => {
      const result = await inTerminal(['thing', 'ask'], {
        separate: true,
        answers: [
          { expect: /Name of the thing/, send: 'solar-0042\r' },
          { expect: /Password of the thing/, send: 'ten-letter\r' },
          { expect: /Once more/, send: 'ten-letter\r' },
          { expect: /Destroy solar-0042\?/, send: 'y\r' },
        ],
      })
      assert.equal(result.code, 0)
      assert.equal(result.stdout, 'name           solar-0042\nsecret length  10\n')
      assert.match(result.stderr, /Destroy solar-0042\?/)
    })

    it('a hidden answer cannot be made visible', async () => {
      const result = await inTerminal(['thing', 'ask', '--name', 'a', '--yes'], {
        answers: [
          { expect: /Password of the thing/, send: `${MARKER}\u0014` },
          { expect: /\*{15}/, send: '\r' },
          { expect: /Once more/, send: `${MARKER}\r` },
        ],
      })
      assert.equal(result.code, 0)
      assert.ok(!result.raw.includes(MARKER))
    })

    it('two different answers to a new secret are refused', async () => {
      const result = await inTerminal(['thing', 'ask', '--name', 'a', '--yes'], {
        answers: [
          { expect: /Password of the thing/, send: 'one\r' },
          { expect: /Once more/, send: 'two\r' },
        ],
      })
      assert.equal(result.code, 2)
      assert.match(result.stdout, /the two answers are not the same/)
    })

    it('Ctrl-C is 130 and a no is 130, without a stack', async () => {
      const [interrupted, declined] = await Promise.all([
        inTerminal(['thing', 'ask'], { answers: [{ expect: /Name/, send: '\u0003' }] }),
        inTerminal(['thing', 'ask', '--name', 'a', '--password-file', privateFile('x')], {
          answers: [{ expect: /Destroy a\?/, send: 'n\r' }],
        }),
      ])
      for (const result of [interrupted, declined]) {
        assert.equal(result.code, 130)
        assert.match(result.stdout, /^error: cancelled$/m)
        assert.doesNotMatch(result.stdout, /^ +at /m)
      }
    })

    const REASONS: [string, CliOptions][] = [
      ['stdin is empty', {}],
      ['stdin is a pipe that stays silent', { input: { open: true } }],
    ]
    for (const [reason, options] of REASONS) {
      it(`are not asked when ${reason}: the missing flag is named`, async () => {
        const result = await thing(['ask'], options)
        assert.equal(result.code, 2)
        assert.match(result.stderr, /^error: a value is missing: give --name$/m)
      })
    }

    it('are not asked in a terminal with --no-input or in CI', async () => {
      const all = await Promise.all([
        inTerminal(['thing', 'ask', '--no-input']),
        inTerminal(['thing', 'ask'], { env: { CI: '1' } }),
        inTerminal(['thing', 'ask', '--no-input', '--name', 'a']),
        inTerminal([
          'thing',
          'ask',
          '--no-input',
          '--name',
          'a',
          '--password-file',
          privateFile('x'),
        ]),
      ])
      assert.deepEqual(
        all.map(({ code, stdout }) => [code, /give (--\S+)/.exec(stdout)?.[1]]),
        [
          [2, '--name'],
          [2, '--name'],
          [2, '--password-file'],
          [2, '--yes'],
        ],
      )
    })
  })

  describe('signals', () => {
    const stopped = (manner: string, signals: NodeJS.Signals[], more: string[] = []) =>
      thing(['wait', '--manner', manner, ...more], {
        onStart: (child) => {
          let isWorking = false
          child.stderr?.on('data', () => {
            if (isWorking) return
            isWorking = true
            for (const [index, signal] of signals.entries())
              setTimeout(() => child.kill(signal), index * 100)
          })
        },
      })

    const CASES: [NodeJS.Signals, number][] = [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ]
    for (const [signal, code] of CASES) {
      it(`${signal} is ${code}, with and without --json`, async () => {
        const [text, json] = await Promise.all([
          stopped('abort', [signal]),
          stopped('abort', [signal], ['--json']),
        ])
        assert.deepEqual([text.code, json.code], [code, code])
        assert.equal(text.stderr, 'working\nerror: cancelled\n')
        assert.deepEqual(errorOf(json), {
          code: 'cancelled',
          exitCode: code,
          message: 'cancelled',
          suggestions: [],
        })
      })
    }

    it('work that comes to an end in order shows its result and is told apart all the same', async () => {
      const result = await stopped('finish', ['SIGTERM'])
      assert.equal(result.code, 143)
      assert.equal(result.stdout, 'stopped in order\n')
    })

    it('what was learned before the stop is kept', async () => {
      const result = await stopped('partial', ['SIGINT'], ['--json'])
      assert.equal(result.code, 130)
      assert.equal((result.json() as { stopped: boolean }).stopped, true)
    })

    it('work that does not listen is left after a while', async () => {
      assert.equal((await stopped('deaf', ['SIGTERM'])).code, 143)
    })

    it('the second signal ends the program at once', async () => {
      const result = await stopped('stubborn', ['SIGINT', 'SIGINT'])
      assert.equal(result.code, 130)
      // After the time that it may take it would say that it was cancelled.
      assert.equal(result.stderr, 'working\n')
    })
  })

  describe('lines on stderr', () => {
    it('an error is one line, however long, and each hint is one', async () => {
      const { stderr } = await thing(['fail', '--as', 'conflict'])
      assert.deepEqual(stderr.split('\n'), [
        'error: thing CDX-000123 did not work, and this explanation goes on far beyond the eighty columns at which things are wrapped',
        'hint: cleverctl thing mend CDX-000123',
        'hint: cleverctl help exit-codes',
        '',
      ])
    })

    it('progress is drawn on a terminal only, and --quiet silences it', async () => {
      const [terminal, pipe, quiet] = await Promise.all([
        inTerminal(['thing', 'work'], { separate: false }),
        thing(['work']),
        inTerminal(['thing', 'work', '--quiet']),
      ])
      assert.match(terminal.raw, /=+-* \d+% · \d+\/30 rows · \d+\/s · \d+ s left/)
      assert.equal(pipe.stderr, 'working for a while\nwarning: something to look at\n')
      assert.equal(quiet.stdout, 'warning: something to look at\n30 rows\n')
    })
  })

  function privateFile(text: string): string {
    const file = join(folder, 'private')
    writeFileSync(file, `${text}\n`)
    chmodSync(file, 0o600)
    return file
  }
})
