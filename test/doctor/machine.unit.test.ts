import { equal } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { checkNode } from '../../src/lib/doctor/checks/machine.js'
import { listed } from '../../src/lib/doctor/words.js'

describe('the check of Node.js', () => {
  const { engines } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as { engines: { node: string } }
  const oldest = engines.node.replace('>=', '')
  const [major = 0, minor = 0] = oldest.split('.').map(Number)

  const table: [version: string, verdict: string][] = [
    [`${major}.${minor}.0`, 'ok'],
    [`${major}.${minor + 1}.0`, 'ok'],
    [`${major + 2}.0.0`, 'ok'],
    [`${major}.${minor - 1}.9`, 'failure'],
    [`${major - 2}.99.0`, 'failure'],
  ]
  for (const [version, verdict] of table) {
    it(`finds ${version} ${verdict} where package.json wants ${engines.node}`, () =>
      equal(checkNode(version).verdict, verdict))
  }
})

describe('a list of some names', () => {
  it('says how many more there are', () => equal(listed(['a', 'b'], 5), 'a, b and 3 more'))
  it('is complete without more', () => equal(listed(['a', 'b'], 2), 'a, b'))
})
