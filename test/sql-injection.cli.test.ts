import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import limit from 'p-limit'
import { runCli } from './support/cli.js'
import type { Report } from './support/command-worker.js'
import { CommandWorker } from './support/commands.js'
import { changedTables, contentOf, type TableContent } from './support/content.js'
import { freshDatabase, type FreshDatabase } from './support/database.js'
import { HOSTILE, HOSTILE_BYTES } from './support/hostile.js'
import { manifestCommands, ownFlags, type ManifestCommand } from './support/manifest.js'
import { scenarios } from './support/scenarios/all.js'
import { Stands } from './support/scenarios/stands.js'
import { wordsOf, type Line, type Stand } from './support/scenarios/types.js'
import { dumpSchema } from './support/schema.js'

type Content = Record<string, TableContent>

/** Everything that a command may end with when somebody types nonsense: no bug, no lost database. */
const EXPECTED = [0, 1, 2, 3, 4, 5, 6, 8]
const UNREACHABLE = 7
/** The one command that goes on running. */
const SERVING = 'gate:serve'
/** Of these a command may take rows away. */
const SHRINKING: Record<string, string> = { 'installer:unassign': 'installer_assignment' }
/** To these a command adds as many rows as it finds. */
const FILLING: Record<string, string> = { 'access:audit': 'access_finding' }
/** What one command line may add to a table. */
const MOST_NEW_ROWS = 5

/** Texts tried at every place. */
const EVERYWHERE = ['a quote', 'the end of a statement', 'always true', 'a parameter', 'a flag']
const ELSEWHERE = Object.entries(HOSTILE).filter(([what]) => !EVERYWHERE.includes(what))
/** Of the other texts each place gets these many, its neighbour the next ones. */
const IN_TURN = 6
let turn = 0

function nextTexts(): [what: string, text: string][] {
  const inTurn = [...ELSEWHERE, ...ELSEWHERE].slice(turn, turn + IN_TURN)
  turn = (turn + IN_TURN) % ELSEWHERE.length
  return [...Object.entries(HOSTILE).filter(([what]) => EVERYWHERE.includes(what)), ...inTurn]
}

/** The places of a command line where text can stand. */
function placesOf(command: ManifestCommand): { kind: 'args' | 'flags'; name: string }[] {
  const flags = ownFlags(command).filter(({ type }) => type === 'option')
  return [
    ...Object.keys(command.args).map((name) => ({ kind: 'args' as const, name })),
    ...flags.map(({ name }) => ({ kind: 'flags' as const, name })),
  ]
}

/** The line with one text put in, and without the flags that may not stand beside it. */
function withText(
  command: ManifestCommand,
  line: Line,
  { kind, name }: { kind: 'args' | 'flags'; name: string },
  text: string,
): Line {
  if (kind === 'args') return { ...line, args: { ...line.args, [name]: text } }
  const isBeside = (other: string) => {
    const rules = [command.flags[name], command.flags[other]]
    return !rules.some((rule) =>
      [...(rule?.exclusive ?? []), ...(rule?.exactlyOne ?? [])].some(
        (each) => each !== rule?.name && (each === name || each === other),
      ),
    )
  }
  const others = Object.entries(line.flags ?? {}).filter(
    ([other]) => other === name || isBeside(other),
  )
  return { ...line, flags: { ...Object.fromEntries(others), [name]: text } }
}

/** Whether a command did what it could of a check. */
function isPartOfCheck({ stdout }: Report): boolean {
  const { error } = JSON.parse(stdout) as { error?: { code: string } }
  return error?.code === 'not-checked'
}

describe('hostile text in every argument and flag of every command', () => {
  let fresh: FreshDatabase
  let folder: string
  let worker: CommandWorker
  let stands: Stands
  let schema: string
  /** What the tables held when somebody looked last. */
  let content: Content

  const look = (statement: string) => fresh.database.query(statement)
  const run = (words: readonly string[], env: Record<string, string> = {}): Promise<Report> =>
    worker.run(words, { CLEVERCTL_CONTENT_TYPE: 'json', ...env })

  before(async () => {
    fresh = await freshDatabase()
    folder = mkdtempSync(join(tmpdir(), 'cctl-hostile-'))
    const env = {
      HOME: folder,
      CLEVERCTL_HOME: folder,
      CLEVERCTL_DATABASE_URL: fresh.url,
    }
    worker = new CommandWorker(env, folder)
    stands = await Stands.prepare({
      folder: join(folder, 'files'),
      count: 1000,
      look,
      run: async (words) => {
        const report = await run(words)
        assert.equal(report.code, 0, report.stdout + report.stderr)
      },
    })
    // A gate that starts makes them, and every command line of one is tried.
    await look(`select cleverctl.reading_ensure_partition(now() + days * interval '1 day')
      from generate_series(0, 60, 15) as days`)
    schema = dumpSchema(fresh.url)
  })

  beforeEach(async () => {
    content = await contentOf(look)
  })

  after(async () => {
    worker.stop()
    await fresh.drop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Runs a line and holds what it did against what it said. */
  async function mustBeHarmless(
    command: Pick<ManifestCommand, 'id'>,
    words: readonly string[],
    what: string,
    env: Record<string, string> = {},
    alsoExpected: readonly number[] = [],
  ): Promise<{ report: Report; hasChanged: boolean }> {
    const before = content
    const report = await run(words, env)
    const after = await contentOf(look)
    content = after
    const seen = `${what}: exit ${report.code} ${report.stdout.slice(0, 400)}${report.stderr.slice(0, 400)}`
    assert.ok([...EXPECTED, ...alsoExpected].includes(report.code), seen)
    assert.doesNotThrow(() => JSON.parse(report.stdout) as unknown, seen)
    assert.doesNotMatch(report.stdout + report.stderr, /[\0-\x08\x0b-\x1f\x7f]/, seen)
    const changed = changedTables(before, after)
    // A check that found something was carried out, if only in part, and may have written down what.
    const isCarriedOut = [0, 3, 8].includes(report.code) || isPartOfCheck(report)
    if (isCarriedOut) mustBeModest(command.id, before, after, seen)
    else assert.deepEqual(changed, [], seen)
    return { report, hasChanged: changed.length > 0 }
  }

  function mustBeModest(id: string, before: Content, after: Content, seen: string): void {
    assert.deepEqual(Object.keys(after), Object.keys(before), seen)
    for (const [table, { rows }] of Object.entries(after)) {
      const more = rows - (before[table]?.rows ?? 0)
      if (FILLING[id] !== table)
        assert.ok(more <= MOST_NEW_ROWS, `${table} grew by ${more}: ${seen}`)
      if (SHRINKING[id] !== table) assert.ok(more >= 0, `${table} shrank by ${-more}: ${seen}`)
    }
  }

  for (const command of manifestCommands()) {
    const name = command.id.replaceAll(':', ' ')
    const places = placesOf(command)
    if (places.length === 0 || command.id === SERVING) continue
    it(name, async () => {
      const make = scenarios[command.id]
      assert.ok(make, `test/support/scenarios has no ${command.id}`)
      let stand: Stand | undefined
      for (const place of places) {
        for (const [what, text] of nextTexts()) {
          stand ??= stands.next()
          const line = withText(command, make(stand).succeeds, place, text)
          const seen = `${name}, ${what} as ${place.name}`
          const { report, hasChanged } = await mustBeHarmless(
            command,
            wordsOf(command, line),
            seen,
            {},
            // A command that can get no further here than to a server that is out of reach.
            [line.code],
          )
          if (hasChanged || report.code === 0) stand = undefined
        }
      }
    })
  }

  it('gate serve', async () => {
    const command = manifestCommands().find(({ id }) => id === SERVING)
    assert.ok(command)
    const line: Line = { flags: { 'self-signed': true, port: '0' }, code: 0 }
    const lines = placesOf(command).flatMap((place) =>
      EVERYWHERE.slice(0, 2).map((what) => withText(command, line, place, HOSTILE[what] ?? '')),
    )
    const atOnce = limit(3)
    const before = await contentOf(look)
    const codes = await Promise.all(
      lines.map((each) =>
        atOnce(async () => {
          const { code, stdout } = await runCli([...wordsOf(command, each), '--json'], {
            home: folder,
            env: { CLEVERCTL_DATABASE_URL: fresh.url },
          })
          assert.ok((JSON.parse(stdout) as object) !== null)
          return code
        }),
      ),
    )
    assert.deepEqual(
      codes,
      codes.map(() => 2),
    )
    assert.deepEqual(changedTables(before, await contentOf(look)), [])
  })

  it('in the flags that every command has', async () => {
    const commands = manifestCommands().filter(
      ({ id }) => !/^(demo|access:self-test|gate:serve|database:st)/.test(id),
    )
    const urls = [
      `postgres://%27%3B%20drop@${place()}`,
      `postgres://postgres@/%27%3Bdrop${fresh.url.slice(fresh.url.indexOf('?'))}`,
      `${fresh.url}&application_name=%27%3B%20drop%20table%20cleverctl.device%3B%20--`,
      "postgres://'; drop table cleverctl.device; --",
      `${fresh.url}&options=-c%20role%3D%27%3B`,
    ]
    for (const [index, command] of commands.entries()) {
      const [what, text] = ELSEWHERE[index % ELSEWHERE.length] ?? ['', '']
      const line = scenarios[command.id]?.(stands.next()).succeeds
      assert.ok(line)
      for (const flags of [
        { profile: text },
        { 'database-url': urls[index % urls.length] ?? '' },
      ]) {
        const words = wordsOf(command, { ...line, flags: { ...line.flags, ...flags } })
        await mustBeHarmless(command, words, `${command.id} with ${what}`, {}, [UNREACHABLE])
      }
    }
  })

  /** The server's place in the database's URL. */
  function place(): string {
    return fresh.url.slice(fresh.url.indexOf('@') + 1)
  }

  it('a filter made of wildcards finds what is called so, and that is nothing', async () => {
    const filters: [string, string][] = [
      ['device list --batch', 'devices'],
      ['device list --model', 'devices'],
      ['device list --serial-prefix', 'devices'],
      ['installation list --code-prefix', 'installations'],
      ['trail list --action', 'steps'],
      ['trail list --subject', 'steps'],
      ['trail list --actor', 'steps'],
    ]
    for (const [words, list] of filters) {
      for (const text of ['%', '_', '%%', 'C%', 'device%', '.*', "' or ''='"]) {
        const { code, stdout } = await run([...words.split(' '), text])
        const found = code === 0 ? (JSON.parse(stdout) as Record<string, []>)[list] : []
        assert.deepEqual(
          [code === 0 || code === 2, found],
          [true, []],
          `${words} ${text}: ${stdout}`,
        )
      }
    }
  })

  it('what is text to people is kept letter by letter', async () => {
    const names = Object.values(HOSTILE).filter((text) =>
      /^[^-\p{Cc}][^\p{Cc}]{0,100}$/u.test(text),
    )
    assert.ok(names.length > 15)
    for (const [index, name] of names.entries()) {
      const code = `named-${index}`
      const flags = { name, timezone: 'Europe/Madrid', latitude: '1', longitude: '1' }
      const words = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`)
      const created = await run(['installation', 'create', code, ...words])
      assert.equal(created.code, 0, created.stdout)
      const shown = await run(['installation', 'show', code])
      assert.equal((JSON.parse(shown.stdout) as { name: string }).name, name)
      const { serial } = stands.next()
      const revoked = await run(['device', 'revoke', serial, `--reason=${name}`, '--yes'])
      assert.equal(revoked.code, 0, revoked.stdout)
      const listed = await run(['trail', 'list', '--subject', serial])
      const [step] = (JSON.parse(listed.stdout) as { steps: { details: object }[] }).steps
      assert.deepEqual(step?.details, { reason: name })
    }
  })

  describe('in the files that commands read', () => {
    const write = (name: string, text: string | Buffer): string => {
      writeFileSync(join(folder, name), text, { mode: 0o600 })
      return join(folder, name)
    }
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`

    const imports = [
      {
        command: 'device import',
        table: 'device',
        columns: ['serial', 'model', 'batch', 'manufacturedAt'],
        good: (n: number) => [`HOS-${n}`, 'CleverDx', 'B-1', '2026-01-02'],
        more: ['--secrets-out'],
      },
      {
        command: 'installation import',
        table: 'installation',
        columns: ['code', 'name', 'timezone', 'latitude', 'longitude'],
        good: (n: number) => [`hos-${n}`, 'Almeria', 'Europe/Madrid', '36', '-2'],
        more: [],
      },
    ]
    for (const { command, table, columns, good, more } of imports) {
      for (const format of ['csv', 'ndjson']) {
        it(`${command}, in each column of ${format}`, async () => {
          const rows = columns.flatMap((_, column) =>
            Object.values(HOSTILE_BYTES).map((text) => (n: number) => good(n).with(column, text)),
          )
          const base = format === 'csv' ? 0 : 1000
          const values = rows.map((row, index) => row(base + index))
          const text =
            format === 'csv'
              ? [columns.join(','), ...values.map((row) => row.map(quoted).join(','))]
              : values.map((row) =>
                  JSON.stringify(Object.fromEntries(columns.map((name, at) => [name, row[at]]))),
                )
          const file = write(`${table}.${format}`, `${text.join('\n')}\n`)
          const secrets = more.map((flag) => `${flag}=${file}-secrets.csv`)
          const { code, stdout } = await run([...command.split(' '), file, ...secrets])
          assert.equal(code, 3, stdout)
          const { imported = 0, rejected = 0 } = JSON.parse(stdout) as Record<string, number>
          assert.ok(imported > 0 && rejected > 0, stdout)
          const after = await contentOf(look)
          assert.equal(after[table]?.rows, (content[table]?.rows ?? 0) + imported)
          await mustHold(table, values)
        })
      }
    }

    /** Every row that was taken holds, letter by letter, what one row of the file says. */
    async function mustHold(table: string, values: readonly string[][]): Promise<void> {
      const [key, ...texts] = table === 'device' ? ['serial', 'model', 'batch'] : ['code', 'name']
      const { rows } = await look(
        `select ${[key, ...texts].join(', ')} from cleverctl.${table} where ${key} ilike 'hos-%'`,
      )
      const given = new Set(values.map((row) => JSON.stringify(row.slice(0, texts.length + 1))))
      const kept = rows.map((row) => JSON.stringify(Object.values(row)))
      assert.ok(kept.filter((row) => given.has(row)).length > 0)
    }

    for (const words of [
      'gate explain --api-key-file',
      'gate explain --token-file',
      'gate explain --request',
      'token inspect --token-file',
      'trail verify --file',
    ]) {
      it(words, async () => {
        for (const [what, text] of Object.entries(HOSTILE_BYTES)) {
          const wrapped =
            words.endsWith('--request') && text.length % 2 === 0
              ? JSON.stringify({ apiKey: text, token: text })
              : `GET / HTTP/1.1\r\nX-API-Key: ${text}\r\nAuthorization: Bearer ${text}\r\n\r\n`
          const file = write('hostile.txt', words.endsWith('--request') ? wrapped : text)
          const id = words.split(' ').slice(0, 2).join(':')
          await mustBeHarmless({ id }, [...words.split(' '), file], `${words}, ${what}`)
        }
      })
    }

    it('a password of any characters is hashed and never met by SQL', async () => {
      const texts = Object.entries(HOSTILE_BYTES).filter(([, text]) => text.length < 100)
      for (const [index, [what, text]] of texts.entries()) {
        const file = write('password.txt', `${text} and so on ${index}`)
        const add = ['installer', 'add', `hostile-${index}@example.com`, '--name', 'X']
        await mustBeHarmless({ id: 'installer:add' }, [...add, '--password-file', file], what)
      }
    })
  })

  it('the name of a CI job goes into the trail letter by letter', async () => {
    const names = Object.values(HOSTILE).filter((text) => text !== '' && text.length < 100)
    for (const [index, name] of names.entries()) {
      const env = { GITHUB_RUN_ID: name, GITHUB_REPOSITORY: "o'neill/plants" }
      const stand = stands.next()
      const words = ['installer', 'disable', stand.email, '--yes']
      await mustBeHarmless({ id: 'installer:disable' }, words, `job ${index}`, env)
      const { rows } = await look('select ci_job from cleverctl.trail order by seq desc limit 1')
      assert.deepEqual(rows, [{ ci_job: `github:o'neill/plants:${name}` }])
    }
  })

  describe('in the end', () => {
    it('the schema is what it was and the trail is whole', async () => {
      writeFileSync('/tmp/a.sql', schema)
      writeFileSync('/tmp/b.sql', dumpSchema(fresh.url))
      assert.equal(dumpSchema(fresh.url), schema)
      const { code, stdout } = await run(['trail', 'verify'])
      assert.equal(code, 0, stdout)
    })
  })
})
