import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli, runCliTty } from '../support/cli.js'
import { freshDatabase, type FreshDatabase } from '../support/database.js'
import { buildFixture, type Fixture } from '../support/fixture.js'

const NOTE = Array.from({ length: 10 }, () => 'a long note').join(' ')
/** What data that wants to break rows and command the terminal looks like on it. */
const TAMED = 'a\\tb\\nc\\x1b[2Jd\\x9be\\u202ef'

describe('what a command shows', () => {
  let fixture: Fixture
  let folder: string

  before(async () => {
    fixture = await buildFixture()
    folder = mkdtempSync(join(tmpdir(), 'cctl-screen-'))
  })
  after(() => {
    fixture.remove()
    rmSync(folder, { recursive: true })
  })

  const run = (args: readonly string[], env: Record<string, string> = {}) =>
    runCli(['thing', ...args], { program: fixture.program, env })
  const runTty = (args: readonly string[], options: Parameters<typeof runCliTty>[1] = {}) =>
    runCliTty(['thing', ...args], { ...options, program: fixture.program })

  describe('in a pipe', () => {
    it('full values separated by tabs, no heading, one line a row whatever the data holds', async () => {
      const { stdout } = await run(['draw'])
      const [first, ...others] = stdout.split('\n')
      const [name, count, state, seenAt, note] = (first ?? '').split('\t')
      assert.deepEqual([name, count, state, note], ['solar-0042', '7', 'ok', NOTE])
      assert.match(seenAt ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.deepEqual(others, [
        `太陽光\t1200\tfailure\t\t${NOTE}`,
        `${TAMED}\t0\tok\t\t${NOTE}`,
        `name\t${TAMED}`,
        'time zone\tEurope/Madrid',
        `note\t${NOTE}`,
        'warning\tthe clock is 3 s off',
        `detail\tseen just now, ${NOTE}`,
        `ok\tnote \t${NOTE}`,
        `next\tit is time: cleverctl thing draw --note "${NOTE}"`,
        '',
      ])
    })
  })

  describe('on a terminal', () => {
    it('columns under headings, numbers to the right, times as people say them, the last column cut', async () => {
      const { stdout } = await runTty(['draw'], { columns: 80 })
      assert.deepEqual(stdout.split('\n'), [
        'NAME                         COUNT  STATE    SEEN           NOTE',
        'solar-0042                       7  ok       3 minutes ago  a long note a long …',
        '太陽光                        1200  failure  -              a long note a long …',
        `${TAMED}      0  ok       -              a long note a long …`,
        'nothing found',
        `name       ${TAMED}`,
        'time zone  Europe/Madrid',
        'note       a long note a long note a long note a long note a long note a long',
        '           note a long note a long note a long note a long note',
        '! warning  the clock is 3 s off',
        '           seen just now, a long note a long note a long note a long note a long',
        '           note a long note a long note a long note a long note a long note',
        '✓ ok       note   a long note a long note a long note a long note a long note a',
        '                  long note a long note a long note a long note a long note',
        'it is time',
        `  → cleverctl thing draw --note "${NOTE}"`,
        '',
      ])
    })

    it('JSON is the same as in a pipe', async () => {
      const result = await runTty(['draw', '--json'], { columns: 40 })
      const { rows } = result.json() as { rows: { name: string }[] }
      assert.equal(rows[2]?.name, 'a\tb\nc\u001b[2Jd\u009be\u202ef')
      assert.ok(!result.raw.includes('\u001b'))
    })
  })

  describe('of a new secret', () => {
    const SECRET = 'thing-secret-1'

    it('all of it on a terminal, once', async () => {
      const { stdout, code } = await runTty(['issue'])
      assert.deepEqual([code, stdout], [0, `secret  ${SECRET}\nid  thing-1\n`])
    })

    it('nothing in a pipe, nor in JSON on a terminal: it is refused, and both ways out are named', async () => {
      const results = await Promise.all([
        run(['issue']),
        run(['issue', '--json']),
        run(['issue', '--json', '--quiet']),
        runTty(['issue', '--json']),
      ])
      for (const { code, stdout, stderr } of results) {
        assert.equal(code, 2)
        assert.ok(!(stdout + stderr).includes(SECRET))
        assert.match(stdout + stderr, /--output FILE.*[\s\S]*--reveal/)
      }
    })

    it('all of it with --reveal, into the document or into the pipe', async () => {
      const [json, text] = await Promise.all([
        run(['issue', '--reveal', '--json']),
        run(['issue', '--reveal']),
      ])
      assert.deepEqual(json.json(), { id: 'thing-1', secret: SECRET })
      assert.equal(text.stdout, `secret\t${SECRET}\nid\tthing-1\n`)
      assert.equal(json.stderr + text.stderr, '')
    })

    it('nothing where --output takes it: a file for the user alone', async () => {
      const file = join(folder, 'secret.txt')
      const [first, second] = [
        await run(['issue', '--output', file, '--json']),
        await run(['issue', '--output', file, '--json']),
      ]
      assert.deepEqual([first.code, first.json(), first.stderr], [0, { id: 'thing-1' }, ''])
      assert.equal(readFileSync(file, 'utf8'), `${SECRET}\n`)
      assert.equal(statSync(file).mode & 0o777, 0o600)
      assert.equal(second.code, 6)
      assert.equal((await run(['issue', '--output', file, '--reveal'])).code, 2)
    })

    it('and that it is void when the commit failed', async () => {
      const { code, stderr } = await run(['issue', '--rollback', '--reveal'])
      assert.equal(code, 1)
      assert.match(stderr, /nothing was changed: the secret shown above is not in force/)
    })
  })

  describe('of a secret that is given', () => {
    const ask = (file: string) =>
      run(['ask', '--name', 'a', '--yes', '--json', '--password-file', file])
    const codeOf = async (file: string) => {
      const result = await ask(file)
      assert.equal(result.code, 2)
      return (result.json() as { error: { code: string } }).error.code
    }
    const made = (name: string, content: string, mode: number) => {
      const file = join(folder, name)
      writeFileSync(file, content, { mode })
      return file
    }

    it('its length here, without the newline that ends the file', async () => {
      for (const content of ['ten-letter\n', 'ten-letter\r\n', 'ten-letter'])
        assert.deepEqual((await ask(made(`given-${content.length}`, content, 0o600))).json(), {
          name: 'a',
          secretLength: 10,
        })
    })

    it('a refusal when the file is open to others, empty, missing or holds a NUL', async () => {
      assert.equal(await codeOf(made('open', 'x', 0o644)), 'exposed-file')
      assert.equal(await codeOf(made('group', 'x', 0o640)), 'exposed-file')
      assert.equal(await codeOf(made('empty', '\n', 0o600)), 'empty-secret')
      assert.equal(await codeOf(made('nul', 'a\0b', 0o600)), 'secret-invalid')
      assert.equal(await codeOf(join(folder, 'missing')), 'unreadable-file')
    })
  })

  describe('with a database', () => {
    let fresh: FreshDatabase
    before(async () => {
      fresh = await freshDatabase()
    })
    after(() => fresh.drop())

    it('which profile and database a command changes, on stderr and without --quiet', async () => {
      const env = { CLEVERCTL_DATABASE_URL: fresh.url }
      const [loud, json, quiet] = await Promise.all([
        run(['open'], env),
        run(['open', '--json'], env),
        run(['open', '--quiet'], env),
      ])
      assert.match(loud.stderr, /^profile default · postgres:\/\/.+\n$/)
      assert.equal(json.stderr, loud.stderr)
      assert.equal(quiet.stderr, '')
      assert.deepEqual(json.json(), { profile: 'default' })
    })

    it('an unreachable one is 7', async () => {
      const result = await run(['open', '--json'])
      assert.equal(result.code, 7)
    })

    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      it(`${signal} closes its connections`, async () => {
        const name = `stopped by ${signal}`
        const result = await runCli(['thing', 'wait', '--manner', 'database'], {
          program: fixture.program,
          env: { CLEVERCTL_DATABASE_URL: fresh.url, PGAPPNAME: name },
          onStart: (child) =>
            child.stderr?.once('data', () => {
              child.kill(signal)
            }),
        })
        assert.equal(result.code, signal === 'SIGINT' ? 130 : 143)
        const { rows } = await fresh.database.query<{ count: string }>({
          text: 'select count(*) from pg_stat_activity where application_name = $1',
          values: [name],
        })
        assert.equal(rows[0]?.count, '0')
      })
    }
  })
})
