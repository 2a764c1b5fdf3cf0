import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ExitCode } from '../../src/lib/errors.js'
import { runCli } from '../support/cli.js'
import { freshDatabase, type FreshDatabase } from '../support/database.js'

/** What the manifest says of one command, as far as it is used here. */
interface Described {
  id: string
  summary?: string
  description?: string
  examples?: string[]
  args: Record<string, { description?: string; required?: boolean }>
  flags: Record<
    string,
    { description?: string; env?: string; default?: unknown; type: string; required?: boolean }
  >
  relativePath: string[]
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MANIFEST = join(ROOT, 'oclif.manifest.json')
const commands = Object.values(
  (JSON.parse(readFileSync(MANIFEST, 'utf8')) as { commands: Record<string, Described> }).commands,
)
const wordsOf = ({ id }: Described): string[] => id.split(':')

/** Verbs that only look. A command with one of them changes nothing, so it is run here as it is. */
const READING = ['list', 'show', 'status', 'verify', 'refusals', 'scan', 'audit', 'doctor', 'help']
/** The end of a name that promises a secret in the flag's value, and not a file or an id. */
const SECRET_WORD = /(^|-)(password|secret|token|api-key|passphrase)$/

describe('contracts of every command', () => {
  it('there are commands', () => assert.ok(commands.length > 10))

  for (const command of commands) {
    const name = wordsOf(command).join(' ')
    describe(name, () => {
      it('is described, with an example that begins with its name', () => {
        assert.ok(command.summary, 'summary')
        assert.ok(command.description, 'description')
        assert.ok(command.examples?.length, 'example')
        for (const example of command.examples)
          assert.match(example, /<%= config\.bin %> <%= command\.id %>/)
      })

      it('has every flag and argument described', () => {
        for (const [flag, { description }] of Object.entries(command.flags))
          assert.ok(description, `--${flag}`)
        for (const [arg, { description }] of Object.entries(command.args))
          assert.ok(description, arg)
      })

      it('prints JSON on demand', () => assert.ok(command.flags['json']))

      it('takes no secret by a flag, and has no default where the environment may speak', () => {
        for (const [flag, { type, env, default: value }] of Object.entries(command.flags)) {
          assert.ok(type === 'boolean' || !SECRET_WORD.test(flag), `--${flag}`)
          assert.ok(env === undefined || value === undefined, `--${flag}`)
        }
      })

      it('reads no argument from stdin', async () => {
        const url = pathToFileURL(join(ROOT, ...command.relativePath)).href
        const loaded = (await import(url)) as {
          default: { args: Record<string, { ignoreStdin?: boolean }> }
        }
        for (const [arg, { ignoreStdin }] of Object.entries(loaded.default.args))
          assert.equal(ignoreStdin, true, arg)
      })

      it('answers wrong usage with 2, in words and as one document', async () => {
        const args = [...wordsOf(command), '--no-such-flag']
        const [text, json] = await Promise.all([runCli(args), runCli([...args, '--json'])])
        assert.deepEqual([text.code, json.code], [2, 2])
        assert.equal(text.stdout, '')
        assert.match(text.stderr, /^error: .+\n(hint: .+\n)+$/)
        const { error } = json.json() as { error: { exitCode: number } }
        assert.equal(error.exitCode, 2)
        assert.equal(json.stderr, '')
      })

      it('has help', async () => {
        const help = await runCli([...wordsOf(command), '--help'])
        assert.equal(help.code, 0)
        assert.match(help.stdout, /^USAGE$/m)
        assert.equal(help.stderr, '')
      })
    })
  }

  describe('commands that only read', () => {
    let database: FreshDatabase
    before(async () => {
      database = await freshDatabase()
    })
    after(() => database.drop())

    const reading = commands.filter(
      (command) =>
        READING.includes(wordsOf(command).at(-1) ?? '') &&
        ![...Object.values(command.args), ...Object.values(command.flags)].some(
          (each) => each.required,
        ),
    )
    for (const command of reading) {
      const name = wordsOf(command).join(' ')
      it(`${name} --json prints one document, on an empty database and on none`, async () => {
        const args = [...wordsOf(command), '--json']
        const [empty, none] = await Promise.all([
          runCli(args, { env: { CLEVERCTL_DATABASE_URL: database.url } }),
          runCli(args),
        ])
        for (const result of [empty, none]) {
          const document = result.json()
          assert.ok(typeof document === 'object' && document !== null && !Array.isArray(document))
        }
        assert.ok(Object.values(ExitCode).includes(empty.code as ExitCode))
        assert.notEqual(empty.code, ExitCode.bug)
        if (empty.code === 0) assert.equal(empty.stderr, '')
        const text = await runCli(wordsOf(command), {
          env: { CLEVERCTL_DATABASE_URL: database.url },
        })
        assert.equal(text.code, empty.code)
      })
    }
  })

  it('nothing that was typed wrong is guessed: an unknown command is 2 and names the nearest', async () => {
    const cases: [string[], string, string][] = [
      [['instaler', 'lst'], 'unknown command instaler', 'cleverctl installer list'],
      [['installer', 'lst'], 'unknown command installer lst', 'cleverctl installer list'],
      [['instaler'], 'unknown command instaler', 'cleverctl help installer'],
      [['hlep'], 'unknown command hlep', 'cleverctl help'],
      [['xyzzy', '--help'], 'unknown command xyzzy', 'cleverctl help'],
      [['help', 'xyzzy'], 'unknown command xyzzy', 'cleverctl help'],
    ]
    for (const [args, message, suggestion] of cases) {
      const [text, json] = await Promise.all([runCli(args), runCli([...args, '--json'])])
      assert.deepEqual([text.code, json.code], [2, 2])
      assert.deepEqual(json.json(), {
        error: { code: 'unknown-command', exitCode: 2, message, suggestions: [suggestion] },
      })
      assert.equal(text.stderr, `error: ${message}\nhint: ${suggestion}\n`)
    }
  })
})

/** Not for people to set: spoken between the processes of one gate; written for others by --deliver. */
const INTERNAL_VARIABLES = ['CLEVERCTL_GATE_PORT', 'CLEVERCTL_API_KEY']

describe('help', () => {
  it('lists every exit code', async () => {
    const { topic, entries } = (await runCli(['help', 'exit-codes', '--json'])).json() as {
      topic: string
      entries: { name: string; meaning: string }[]
    }
    assert.equal(topic, 'exit-codes')
    assert.deepEqual(
      entries.map(({ name }) => Number(name)),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 70, 130, 143],
    )
    const { stdout } = await runCli(['help', 'exit-codes'])
    const lines = stdout.split('\n').map((line) => line.trim().replace(/ +/g, ' '))
    for (const { name, meaning } of entries) assert.ok(lines.includes(`${name} ${meaning}`), name)
  })

  it('lists every variable of our own that the sources read, and no other', async () => {
    const { entries } = (await runCli(['help', 'environment', '--json'])).json() as {
      entries: { name: string }[]
    }
    const listed = entries.flatMap(({ name }) => name.split(', '))
    const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('help-topics.ts'))
      .map((file) => readFileSync(join(ROOT, 'src', file), 'utf8'))
    const read = new Set(sources.flatMap((text) => text.match(/\bCLEVERCTL_[A-Z_]+\b/g) ?? []))
    assert.deepEqual(
      listed.filter((name) => name.startsWith('CLEVERCTL_')).sort(),
      [...read].filter((name) => !INTERNAL_VARIABLES.includes(name)).sort(),
    )
    const libpq = readFileSync(join(ROOT, 'src/lib/config/libpq.ts'), 'utf8')
    for (const name of libpq.match(/\bPG[A-Z_]{3,}\b/g) ?? [])
      assert.ok(listed.includes(name), name)
  })

  it('about a command is the same by word and by flag', async () => {
    const [word, flag, short] = await Promise.all([
      runCli(['help', 'installer', 'add']),
      runCli(['installer', 'add', '--help']),
      runCli(['installer', 'add', '-h']),
    ])
    assert.equal(word.stdout.trim(), flag.stdout.trim())
    assert.equal(short.stdout, flag.stdout)
  })

  it('under --json is a document, however it is asked for', async () => {
    const [word, flag, topic, all] = await Promise.all([
      runCli(['help', 'installer', 'add', '--json']),
      runCli(['installer', 'add', '--help', '--json']),
      runCli(['installer', '--json']),
      runCli(['--json']),
    ])
    assert.deepEqual(word.json(), flag.json())
    assert.deepEqual(
      [word, topic, all].map((result) => (result.json() as { topic: string }).topic),
      ['installer add', 'installer', ''],
    )
  })
})
