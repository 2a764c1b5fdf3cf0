import assert from 'node:assert/strict'
import { toSarif } from '../../src/lib/findings/sarif.js'
import type { FindingsReport, ReportedFinding } from '../../src/lib/findings/types.js'

const RULE = {
  id: 'api-key-live',
  summary: 'a live key',
  help: 'replace it',
  level: 'error',
} as const

function finding(overrides: Partial<ReportedFinding> = {}): ReportedFinding {
  return {
    ruleId: RULE.id,
    message: 'API key k7Qd2XbA: CURRENT',
    location: { file: 'src/a b#1.env', line: 3, column: 7 },
    identity: ['k7Qd2XbA', 'src/a b#1.env'],
    ...overrides,
  }
}

function run(report: Partial<FindingsReport>) {
  const whole = { version: '1.2.3', rules: [RULE], findings: [], notChecked: [], ...report }
  const document = toSarif(whole, '/work/house')
  assert.equal(document.version, '2.1.0')
  assert.match(document.$schema ?? '', /sarif-2\.1\.0\.json$/)
  const [only, ...others] = document.runs
  assert.ok(only)
  assert.deepEqual(others, [])
  return only
}

describe('a SARIF report', () => {
  it('names the tool, its rules and the unit of columns', () => {
    const { tool, columnKind } = run({})
    assert.equal(columnKind, 'unicodeCodePoints')
    assert.deepEqual(tool.driver, {
      name: 'cleverctl',
      version: '1.2.3',
      rules: [
        {
          id: 'api-key-live',
          shortDescription: { text: 'a live key' },
          help: { text: 'replace it' },
          defaultConfiguration: { level: 'error' },
        },
      ],
    })
  })

  it('has results even where nothing was found, as uploads demand', () => {
    assert.deepEqual(run({}).results, [])
  })

  it('points to file, line and column, relative to the folder', () => {
    const [result] = run({ findings: [finding()] }).results ?? []
    assert.equal(result?.ruleId, 'api-key-live')
    assert.equal(result.ruleIndex, 0)
    assert.equal(result.level, 'error')
    assert.deepEqual(result.locations, [
      {
        physicalLocation: {
          artifactLocation: { uri: 'src/a%20b%231.env', uriBaseId: '%SRCROOT%' },
          region: { startLine: 3, startColumn: 7 },
        },
      },
    ])
  })

  it('gives a file URL for what is outside the folder, and no region for a whole file', () => {
    const location = { file: '../other/..x', line: null, column: null }
    const inside = { file: '..x', line: null, column: null }
    const results = run({
      findings: [finding({ location }), finding({ location: inside })],
    }).results
    assert.deepEqual(
      results?.map((each) => each.locations?.[0]?.physicalLocation),
      [
        { artifactLocation: { uri: 'file:///work/other/..x' } },
        { artifactLocation: { uri: '..x', uriBaseId: '%SRCROOT%' } },
      ],
    )
  })

  it('names a thing that is no file by a logical location', () => {
    const location = { name: 'CDX-000123', kind: 'device' }
    const [result] = run({ findings: [finding({ location })] }).results ?? []
    assert.deepEqual(result?.locations, [
      { logicalLocations: [{ fullyQualifiedName: 'CDX-000123', kind: 'device' }] },
    ])
  })

  it('has fingerprints that lines do not change and that tell like findings apart', () => {
    const prints = (findings: ReportedFinding[]) =>
      run({ findings }).results?.map((each) => Object.values(each.partialFingerprints ?? {})[0])
    const moved = finding({ location: { file: 'src/a b#1.env', line: 9, column: 1 } })
    const [first, second] = prints([finding(), finding()]) ?? []
    assert.match(first ?? '', /^[0-9a-f]{64}$/)
    assert.notEqual(first, second)
    assert.deepEqual(prints([moved]), [first])
    assert.notDeepEqual(prints([finding({ identity: ['other'] })]), [first])
  })

  it('says that a run that could not check everything did not succeed', () => {
    assert.equal(run({}).invocations?.[0]?.executionSuccessful, true)
    const notChecked = [{ path: 'secret/x', reason: 'cannot read it (EACCES)' }]
    const [invocation] = run({ notChecked }).invocations ?? []
    assert.equal(invocation?.executionSuccessful, false)
    const [told] = invocation.toolExecutionNotifications ?? []
    assert.equal(told?.message.text, 'not checked: cannot read it (EACCES)')
    const place = told.locations?.[0]?.physicalLocation?.artifactLocation
    assert.deepEqual(place, { uri: 'secret/x', uriBaseId: '%SRCROOT%' })
  })

  it('cannot be made of a finding whose rule is missing', () => {
    assert.throws(() => run({ findings: [finding({ ruleId: 'other' })] }), /no rule other/)
  })
})
