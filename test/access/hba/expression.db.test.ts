import { deepEqual, ok } from 'node:assert/strict'
import { matchesExpression } from '../../../src/lib/access/hba/expression.js'
import { freshDatabase, type FreshDatabase } from '../../support/database.js'

const SIGNS = ['a', '1', '(', ')', '[', ']', '{', '}', '*', '?', '|', '\\', 'd', '^', '$', '-', ',']
const NAMES = ['', 'a', 'a1d', '1-', 'd]', '({', '^a$|\\', '}', '-,']

describe('an expression of pg_hba.conf and PostgreSQL', () => {
  let fresh: FreshDatabase

  before(async () => {
    fresh = await freshDatabase()
    await fresh.database
      .query(`create function matches(name text, expression text) returns boolean language plpgsql as $$
      begin return name ~ expression; exception when invalid_regular_expression then return null; end $$`)
  })
  after(async () => fresh.drop())

  it('agree about all words of up to three signs, wherever an answer is given', async () => {
    const words = ['', ...SIGNS].flatMap((one) =>
      SIGNS.flatMap((two) => SIGNS.map((three) => one + two + three)),
    )
    const { rows } = await fresh.database.query<{
      name: string
      expression: string
      isMatch: boolean | null
    }>(
      `select name, expression, matches(name collate "C", expression) as "isMatch"
       from unnest($1::text[]) as expression, unnest($2::text[]) as name`,
      [words, NAMES],
    )
    const answered = rows.map((row) => ({
      ...row,
      answer: matchesExpression(row.expression, row.name),
    }))
    deepEqual(
      answered.filter(({ answer, isMatch }) => answer !== undefined && answer !== isMatch),
      [],
    )
    const known = answered.filter(({ answer }) => answer !== undefined).length
    const taken = answered.filter(({ isMatch }) => isMatch !== null).length
    ok(known > taken / 2, `${known} of ${taken} are answered`)
  })
})
