import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import pg from 'pg'
import { loadSettings } from '../support/client-ca.js'
import { EMAIL, withGrants, type GrantFixture } from '../support/grants.js'

describe('the lines of pg_hba.conf by which a grant lets in', () => {
  let on: GrantFixture

  withGrants((started) => {
    on = started
  })

  /** No rule lets the role come from another address of this machine. */
  const isRefusedFrom = async (localAddress: string, role: string) => {
    const client = new pg.Client({
      ...{ host: 'localhost', port: on.server.port, user: role, password: on.password },
      ...{ database: 'fleet', ssl: { rejectUnauthorized: false } },
      stream: () => {
        const socket = new Socket()
        const dial = socket.connect.bind(socket)
        return Object.assign(socket, {
          connect: (port: number) => dial({ host: '127.0.0.1', port, localAddress }),
        })
      },
    })
    client.on('error', () => undefined)
    await rejects(client.connect(), { code: '28000' })
  }
  const hbaFile = () => join(on.server.cluster.folder, 'data', 'pg_hba.conf')
  const NARROW = 'local all postgres trust\nhostssl all +other 127.0.0.1/32 scram-sha-256\n'

  /** Runs something under other rules than those that all tests share. */
  async function withRules(text: string, work: () => Promise<void>): Promise<void> {
    const former = readFileSync(hbaFile())
    try {
      writeFileSync(hbaFile(), text)
      await loadSettings(on.server)
      await work()
    } finally {
      await on.revoke()
      writeFileSync(hbaFile(), former)
      await loadSettings(on.server)
    }
  }

  it('writes the line that pg_hba.conf lacks, for the networks of the person alone, and takes it out', async () => {
    await withRules(NARROW, async () => {
      const mode = statSync(hbaFile()).mode
      const { admissions, role } = await on.grant()
      deepEqual(
        admissions.map(({ standing }) => standing),
        ['let in'],
      )
      await (await on.logIn(role)).end()
      await isRefusedFrom('127.0.0.2', role)
      match(readFileSync(hbaFile(), 'utf8'), new RegExp(`hostssl "fleet" "${role}" 127.0.0.1/32`))
      equal(statSync(hbaFile()).mode, mode)
      await on.revoke()
      equal(readFileSync(hbaFile(), 'utf8'), NARROW)
    })
  })

  it('does not come in by a wider rule that stands below', async () => {
    const { role } = await on.grant()
    await isRefusedFrom('127.0.0.2', role)
  })

  it('finishes what was cut off after the file was written and before the server read it', async () => {
    await withRules(NARROW, async () => {
      const { role } = await on.grant()
      const whole = readFileSync(hbaFile(), 'utf8')
      writeFileSync(hbaFile(), NARROW)
      await on.database.query('select pg_reload_conf()')
      writeFileSync(hbaFile(), whole)
      await on.grant({}, { file: `${on.file}-again` })
      await (await on.logIn(role)).end()
    })
  })

  it('says the line that is missing where the file cannot be read, and touches nothing', async () => {
    const broken = `# begin of the lines that cleverctl keeps; it replaces them, so change them there\n${NARROW}`
    await withRules(broken, async () => {
      const { admissions, role } = await on.grant()
      deepEqual(
        admissions.map(({ standing, line }) => [standing, line]),
        [['refused', `hostssl fleet ${role} 127.0.0.1/32 scram-sha-256`]],
      )
      equal(readFileSync(hbaFile(), 'utf8'), broken)
    })
  })

  /** The file as a grant leaves it, changed by somebody. */
  const change = async (rewrite: (text: string) => string) => {
    writeFileSync(hbaFile(), rewrite(readFileSync(hbaFile(), 'utf8')))
    await loadSettings(on.server)
  }
  const found = async (rule: string) =>
    (await on.audit()).findings.filter((finding) => finding.rule === rule)
  const enforce = async (rule: string) => {
    const { changes } = await on.enforce()
    return changes.filter((each) => each.rule === rule).map(({ outcome }) => outcome)
  }

  it('is a finding when somebody changes its line, and enforcing writes it anew', async () => {
    const rule = 'otherwise-than-granted'
    await withRules(NARROW, async () => {
      const { role } = await on.grant()
      const line = `hostssl "fleet" "${role}" 127.0.0.1/32 scram-sha-256`
      const whole = readFileSync(hbaFile(), 'utf8')
      const LAST = 'host all +cleverctl_granted all reject'
      deepEqual(await found(rule), [])
      const changes: [what: string, rewrite: (text: string) => string][] = [
        [LAST, (text) => text.replace(line, `# ${line}`)],
        ['255.255.255.255 md5', (text) => text.replace('scram-sha-256', 'md5')],
        [
          'hostssl fleet all samehost cert',
          (text) => text.replace(line, `hostssl fleet all samehost cert\n${line}`),
        ],
        ['no line', () => NARROW],
      ]
      for (const [seen, rewrite] of changes) {
        await change(rewrite)
        const [finding, ...others] = await found(rule)
        deepEqual([finding?.subject, finding?.who, others], [`role ${role}`, EMAIL, []])
        ok(finding?.evidence.includes(`expected ${line}, found`), finding?.evidence)
        ok(finding?.evidence.includes(seen), finding?.evidence)
        deepEqual(await enforce(rule), ['done'], seen)
        await (await on.logIn(role)).end()
        await isRefusedFrom('127.0.0.2', role)
        writeFileSync(hbaFile(), whole)
      }
    })
  })

  it('leaves no line behind that nobody notices', async () => {
    const rule = 'rule-of-ended-grant'
    await withRules(NARROW, async () => {
      const { role } = await on.grant()
      await on.revoke()
      await change((text) => `${text}hostssl fleet ${role} 127.0.0.1/32 scram-sha-256\n`)
      deepEqual(
        (await found(rule)).map(({ subject, who }) => [subject, who]),
        [['pg_hba.conf line 3', EMAIL]],
      )
      deepEqual(await enforce(rule), ['done'])
      deepEqual(await found(rule), [])
    })
  })
})
