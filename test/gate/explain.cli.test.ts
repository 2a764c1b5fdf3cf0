import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli } from '../support/cli.js'
import { freshDatabase, type FreshDatabase } from '../support/database.js'
import { homeWorkspace, startTestGate, type TestGate } from '../support/gate.js'
import { preparePlant, type TestPlant } from '../support/plant.js'
import { until } from '../support/until.js'

interface Requirement {
  requirement: number
  passed: boolean | null
  code: string | null
  row: Record<string, unknown> | null
  mend: string | null
}

interface Explanation {
  accepted: boolean
  requirements: Requirement[]
}

describe('gate explain', () => {
  let fresh: FreshDatabase
  let home: string
  let plant: TestPlant
  let gate: TestGate
  let env: Record<string, string>

  before(async () => {
    fresh = await freshDatabase()
    home = mkdtempSync(join(tmpdir(), 'cctl-explain-'))
    plant = await preparePlant(fresh.database, { workspace: await homeWorkspace(fresh, home) })
    await plant.addDevice('CDX-000123', plant.installation)
    await plant.addDevice('CDX-000124')
    const other = await plant.addInstallation('solar-0043')
    await plant.addDevice('CDX-000125', other)
    env = { CLEVERCTL_DATABASE_URL: fresh.url }
    gate = await startTestGate(plant.workspace)
  })

  after(async () => {
    await gate?.stop()
    await fresh?.drop()
    rmSync(home, { recursive: true, force: true })
  })

  let files = 0
  const file = (content: string, mode = 0o600) => {
    files += 1
    const path = join(home, `file-${files}`)
    writeFileSync(path, `${content}\n`, { mode })
    return path
  }

  const explain = async (apiKey: string, token: string) => {
    const args = ['--api-key-file', file(apiKey), '--token-file', file(token), '--json']
    const result = await runCli(['gate', 'explain', ...args], { home, env })
    assert.ok(!result.stdout.includes(apiKey) && !result.stdout.includes(token), 'tells a secret')
    assert.equal(result.stderr, '')
    const document = result.json() as Explanation & { error?: { result: Explanation } }
    const explanation = document.error?.result ?? document
    return {
      code: result.code,
      explanation,
      codes: explanation.requirements.map(({ code }) => code),
    }
  }

  it('says yes with the rows that decided it, and ends with 0', async () => {
    const { code, explanation } = await explain(plant.apiKey, plant.token('CDX-000123'))
    assert.equal(code, 0)
    assert.equal(explanation.accepted, true)
    const [first, second, third] = explanation.requirements
    assert.ok(
      explanation.requirements.every(({ passed, mend }) => passed === true && mend === null),
    )
    assert.equal(first?.row?.['keyId'], plant.keyId)
    assert.equal(first.row['installation'], 'solar-0042')
    assert.equal(first.row['state'], 'CURRENT')
    assert.equal(second?.row?.['serial'], 'CDX-000123')
    assert.equal(second.row['batch'], 'B-1')
    assert.equal(third?.row?.['installer'], 'installer@example.com')
    assert.match(String(third.row['installedAt']), /^\d{4}-\d\d-\d\dT/)
  })

  it('gives the verdict that the gate gives, and ends with 8 for a refusal', async () => {
    const other = await plant.addInstallation('solar-0044')
    const wrong = `${plant.apiKey.slice(0, -1)}${plant.apiKey.endsWith('0') ? '1' : '0'}`
    const cases: [name: string, apiKey: string, token: string, codes: (string | null)[]][] = [
      ['wrong key', wrong, plant.token('CDX-000123'), ['K_UNKNOWN', null, null]],
      ['no key', 'nonsense', plant.token('CDX-000123'), ['K_UNKNOWN', null, null]],
      [
        'other key',
        other.apiKey,
        plant.token('CDX-000123'),
        ['X_SITE_MISMATCH', null, 'I_OTHER_SITE'],
      ],
      ['no token', plant.apiKey, 'x.y.z', ['T_SIG', null, null]],
      [
        'overtaken',
        plant.apiKey,
        plant.token('CDX-000123', { epochs: [1, 0] }),
        ['T_EPOCH', null, null],
      ],
      ['never made', plant.apiKey, plant.token('CDX-999999'), [null, 'D_NOT_MANUFACTURED', null]],
      ['on the shelf', plant.apiKey, plant.token('CDX-000124'), [null, null, 'I_NONE']],
      ['elsewhere', plant.apiKey, plant.token('CDX-000125'), [null, null, 'I_OTHER_SITE']],
    ]
    for (const [name, apiKey, token, codes] of cases) {
      const before = gate.log.length
      const answer = await gate.client.authorize({ apiKey, token })
      await until(() => gate.log.length > before)
      const refused = gate.log.findLast((line) => line['event'] === 'arrival.refused')
      const { code, explanation, codes: explained } = await explain(apiKey, token)
      assert.equal(code, 8, name)
      assert.equal(explanation.accepted, false, name)
      assert.deepEqual(explained, codes, name)
      assert.equal(
        explained.find((each) => each !== null),
        refused?.['code'],
        name,
      )
      assert.equal(answer.status, explained[0] === null ? 403 : 401, name)
      const failed = explanation.requirements.find(({ passed }) => passed === false)
      assert.ok((failed?.mend ?? '').length > 10, name)
    }
  })

  it('says which rule of a token is broken', async () => {
    const token = plant.token('CDX-000123', { ttlMs: 1_000 })
    await until(
      async () => (await gate.client.authorize({ apiKey: plant.apiKey, token })).status === 401,
    )
    const { explanation } = await explain(plant.apiKey, token)
    const [first, second, third] = explanation.requirements
    assert.equal(first?.code, 'T_EXPIRED')
    assert.match(String(first.row?.['tokenFaults']), /has not expired: expired \d+ s ago/)
    assert.equal(second?.passed, true, 'the device that the token names')
    assert.equal(third?.passed, true)
  })

  it('reads a captured request from a file or from stdin', async () => {
    const token = plant.token('CDX-000123')
    const http = `POST /v1/data HTTP/1.1\r\nx-api-key: ${plant.apiKey}\r\nauthorization: Bearer ${token}\r\n\r\n{}`
    const json = JSON.stringify({ apiKey: plant.apiKey, token })
    for (const text of [http, json]) {
      const byFile = await runCli(['gate', 'explain', '--request', file(text)], { home, env })
      assert.equal(byFile.code, 0, byFile.stderr)
      const byStdin = await runCli(['gate', 'explain', '--request', '-'], {
        home,
        env,
        input: text,
      })
      assert.equal(byStdin.code, 0, byStdin.stderr)
      assert.doesNotMatch(byFile.stdout + byStdin.stdout, /clv_live_\w{8}_|eyJ/)
    }
  })

  it('draws the whole table for a refusal too', async () => {
    const args = [
      '--api-key-file',
      file(plant.apiKey),
      '--token-file',
      file(plant.token('CDX-000124')),
    ]
    const result = await runCli(['gate', 'explain', ...args], { home, env })
    assert.equal(result.code, 8)
    assert.match(result.stdout, /ok\t1 API key and token are right/)
    assert.match(result.stdout, /ok\t2 the device was manufactured/)
    assert.match(result.stdout, /failure\t3 .* I_NONE/)
    assert.match(result.stdout, /next\t.*cleverctl installer assign/)
    assert.match(result.stderr, /error: the gate refuses this/)
  })

  it('wants something to explain, from a file that only its owner reads', async () => {
    const nothing = await runCli(['gate', 'explain'], { home, env })
    assert.equal(nothing.code, 2)
    assert.match(nothing.stderr, /--request/)
    const open = await runCli(['gate', 'explain', '--api-key-file', file(plant.apiKey, 0o644)], {
      home,
      env,
    })
    assert.equal(open.code, 2)
    const both = ['--request', file('{}'), '--token-file', file('x')]
    assert.equal((await runCli(['gate', 'explain', ...both], { home, env })).code, 2)
  })

  it('is told by gate refusals what it would say', async () => {
    await gate.client.authorize({ apiKey: plant.apiKey, token: plant.token('CDX-000124') })
    await until(async () => {
      const result = await runCli(
        ['gate', 'refusals', '--since', '1h', '--by', 'device', '--json'],
        { home, env },
      )
      assert.equal(result.code, 0, result.stderr)
      const { refusals } = result.json() as { refusals: Record<string, unknown>[] }
      return refusals.some(
        ({ code, serial, installation }) =>
          code === 'I_NONE' && serial === 'CDX-000124' && installation === 'solar-0042',
      )
    })
    const table = await runCli(['gate', 'refusals', '--since', '1h'], { home, env })
    assert.match(table.stdout, /I_NONE\t3\t\d+\t.*\tsolar-0042\tCDX-000124\t/)
  })
})
