import { equal } from 'node:assert/strict'
import { matchesExpression } from '../../../src/lib/access/hba/expression.js'

// The first three are those of PostgreSQL's documentation, auth-pg-hba-conf; the others follow its rules for
// advanced regular expressions (functions-matching, 9.7.3). expression.db.test.ts holds PostgreSQL itself against it.
const TABLE: [expression: string, name: string, isMatch: boolean | undefined][] = [
  ['^db\\d{2,4}$', 'db12', true],
  ['^db\\d{2,4}$', 'db12345', false],
  ['^.*helpdesk$', 'it_helpdesk', true],
  ['^db\\d+$', 'db', false],
  ['^db\\d+$', 'db1', true],
  ['db', 'mydb2', true],
  ['^db$', 'mydb2', false],
  ['^(ana|bob)_ro$', 'bob_ro', true],
  ['^(?:ana|bob)_ro$', 'cleo_ro', false],
  ['^a.c$', 'a\nc', true],
  ['^a\\.c$', 'abc', false],
  ['^A', 'ana', false],
  ['^\\d+$', '١', false],
  ['^\\w+$', 'é', false],
  ['^[[:alpha:]_][a-z0-9]*$', '_x9', true],
  ['^[^0-9]+$', 'abc', true],
  ['^[^0-9]+$', 'a1c', false],
  ['^[]a]+$', ']a', true],
  ['^[a-c-]+$', 'a-c', true],
  ['^[\\d.]+$', '1.2', true],
  ['^a{2}$', 'aa', true],
  ['^a{2,}$', 'a', false],
  ['^a{x$', 'a{x', true],
  ['^x]}$', 'x]}', true],
  ['^a*?b$', 'aab', true],
  ['', 'anything', true],
  ['a||b', 'c', true],
  // What is not the same in JavaScript, or may take long, is not known.
  ['(a)\\1', 'aa', undefined],
  ['(?=a)', 'a', undefined],
  ['(?i)ANA', 'ana', undefined],
  ['***=a.b', 'a.b', undefined],
  ['\\mana\\M', 'ana', undefined],
  ['^*a', 'a', undefined],
  ['a**', 'a', undefined],
  ['a{3,2}', 'aaa', undefined],
  ['a{256}', 'a', undefined],
  ['[[.a.]]', 'a', undefined],
  ['[z-a]', 'a', undefined],
  ['(a', 'a', undefined],
  ['a)', 'a', undefined],
  ['a\\', 'a', undefined],
  ['[a', 'a', undefined],
  ['^(a+)+$', 'aaaa', undefined],
  ['^(a|a)*$', 'aaaa', undefined],
  ['^.*.*.*.*x$', 'aaaa', undefined],
]

describe('an expression of pg_hba.conf', () => {
  for (const [expression, name, isMatch] of TABLE)
    it(`/${expression} ${isMatch === undefined ? 'may be' : isMatch ? 'is' : 'is not'} ${JSON.stringify(name)}`, () =>
      equal(matchesExpression(expression, name), isMatch))
})
