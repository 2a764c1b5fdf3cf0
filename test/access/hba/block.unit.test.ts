import { equal, ok, throws } from 'node:assert/strict'
import { lineFor, withLinesOf } from '../../../src/lib/access/hba/block.js'

const FILE = 'local all postgres peer\nhost all all 0.0.0.0/0 md5\n'
const line = (role: string, database = 'fleet') =>
  lineFor({ database, role, network: '10.0.0.1/32', method: 'password' }) ?? ''

describe('the lines of grants in pg_hba.conf', () => {
  it('stand in front of all others and end with a line that refuses the rest', () => {
    const lines = withLinesOf(FILE, 'one', [line('one')]).split('\n')
    equal(lines[1], 'hostssl "fleet" "one" 10.0.0.1/32 scram-sha-256')
    equal(lines[2], 'host all +cleverctl_granted all reject')
    equal(lines.slice(4).join('\n'), FILE)
  })

  it('are the same when they are written twice, and leave no trace when the last one goes', () => {
    const both = withLinesOf(withLinesOf(FILE, 'one', [line('one')]), 'two', [line('two')])
    equal(withLinesOf(both, 'two', [line('two')]), both)
    const second = withLinesOf(both, 'one', [])
    ok(second.includes('"two"') && !second.includes('"one"'))
    equal(withLinesOf(second, 'two', []), FILE)
    equal(withLinesOf(FILE, 'two', []), FILE)
  })

  it('come before what somebody else has put between them', () => {
    const whole = withLinesOf(FILE, 'one', [line('one')])
    const wide = 'hostssl fleet all samenet trust'
    const mended = withLinesOf(whole.replace(line('one'), wide), 'one', [line('one')])
    equal(mended, whole.replace(FILE, `${wide}\n${FILE}`))
  })

  it('hold names as they are, or are none', () => {
    equal(line('r', 'a "b" c'), 'hostssl "a ""b"" c" "r" 10.0.0.1/32 scram-sha-256')
    equal(line('r', 'two\nlines'), '')
    equal(line('r', '/.*'), '')
  })

  it('leave bytes alone that are no text', () => {
    const bytes = Buffer.from([0x23, 0xff, 0xfe, 0x0d, 0x0a]).toString('latin1')
    ok(withLinesOf(bytes, 'one', [line('one')]).endsWith(bytes))
  })

  it('are not touched where one of the marks is missing', () => {
    const cut = withLinesOf(FILE, 'one', [line('one')]).replace(/\n# end.*\n/, '\n')
    throws(() => withLinesOf(cut, 'one', []), SyntaxError)
  })
})
