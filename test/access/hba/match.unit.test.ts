import { deepEqual } from 'node:assert/strict'
import { decidingRules } from '../../../src/lib/access/hba/match.js'
import { logicalLines, tokenize } from '../../../src/lib/access/hba/read.js'
import { representativeAddresses } from '../../../src/lib/access/hba/representatives.js'
import type { Attempt, HbaFacts, HbaRule } from '../../../src/lib/access/hba/types.js'
import { formatAddress, parseAddress } from '../../../src/lib/network.js'
import { ruleOf } from './rule.js'

const FACTS: HbaFacts = {
  isMember: (role, of) => role === of || (role === 'ana' && of === 'engineers'),
  matches: (expression, name) => new RegExp(expression).test(name),
  hasExpressions: true,
  interfaces: [
    { address: parseAddress('10.77.0.1') ?? { family: 4, bits: 0n }, mask: 0xffffff00n },
  ],
}

/** `ana@fleet 10.0.0.1 tls`: role, database (`*` is replication), address (`socket`), encryption. */
function attempt(text: string): Attempt {
  const [, role = '', database = '', from = '', tls] = /^(\S+)@(\S+) (\S+)( tls)?$/.exec(text) ?? []
  return {
    role,
    database: database === '*' ? undefined : database,
    from: from === 'socket' ? undefined : parseAddress(from),
    isEncrypted: tls !== undefined,
  }
}

const deciders = (lines: readonly string[], text: string, facts = FACTS) =>
  decidingRules(lines.map(ruleOf), attempt(text), facts).map((rule) => rule?.line ?? null)

describe('the rule of pg_hba.conf that decides', () => {
  const table: [line: string, attempt: string, isMatch: boolean][] = [
    ['local all all peer', 'ana@fleet socket', true],
    ['local all all peer', 'ana@fleet 10.0.0.1', false],
    ['host all all all trust', 'ana@fleet socket', false],
    ['host all all all trust', 'ana@fleet 10.0.0.1', true],
    ['host all all all trust', 'ana@fleet ::1 tls', true],
    ['hostssl all all all trust', 'ana@fleet ::1', false],
    ['hostssl all all all trust', 'ana@fleet ::1 tls', true],
    ['hostnossl all all all trust', 'ana@fleet ::1 tls', false],
    ['hostnossl all all all trust', 'ana@fleet ::1', true],
    ['hostgssenc all all all trust', 'ana@fleet ::1 tls', false],
    ['hostnogssenc all all all trust', 'ana@fleet ::1 tls', true],
    ['host all all 0.0.0.0/0 trust', 'ana@fleet ::1', false],
    ['host all all 10.77.0.0/16 trust', 'ana@fleet 10.77.255.255', true],
    ['host all all 10.77.0.0/16 trust', 'ana@fleet 10.78.0.0', false],
    ['host all all 10.0.0.7 255.0.0.255 trust', 'ana@fleet 10.1.2.7', true],
    ['host all all 10.0.0.7 255.0.0.255 trust', 'ana@fleet 10.1.2.8', false],
    ['host all all samehost trust', 'ana@fleet 10.77.0.1', true],
    ['host all all samehost trust', 'ana@fleet 10.77.0.2', false],
    ['host all all samenet trust', 'ana@fleet 10.77.0.2', true],
    ['host all all samenet trust', 'ana@fleet 10.77.1.2', false],
    ['local all +engineers peer', 'ana@fleet socket', true],
    ['local all +engineers peer', 'engineers@fleet socket', true],
    ['local all +engineers peer', 'bob@fleet socket', false],
    ['local all "+engineers" peer', 'ana@fleet socket', false],
    ['local all "all" peer', 'ana@fleet socket', false],
    ['local all "all" peer', 'all@fleet socket', true],
    ['local "all" all peer', 'ana@fleet socket', false],
    ['local sameuser all peer', 'ana@ana socket', true],
    ['local sameuser all peer', 'ana@fleet socket', false],
    ['local "sameuser" all peer', 'ana@sameuser socket', true],
    ['local samerole all peer', 'ana@engineers socket', true],
    ['local samegroup all peer', 'bob@engineers socket', false],
    ['local all all peer', 'ana@* socket', false],
    ['local replication all peer', 'ana@* socket', true],
    ['local replication all peer', 'ana@replication socket', false],
    ['local "replication" all peer', 'ana@replication socket', true],
    ['local "replication" all peer', 'ana@* socket', false],
    ['local /^fl all peer', 'ana@fleet socket', true],
    ['local "/^fl,x" all peer', 'ana@fleet socket', false],
    ['local all /^a.a$ peer', 'ana@fleet socket', true],
    ['local fleet,other bob,ana peer', 'ana@other socket', true],
  ]
  for (const [line, text, isMatch] of table)
    it(`${line} ${isMatch ? 'is' : 'is not'} about ${text}`, () =>
      deepEqual(deciders([line], text), [isMatch ? 1 : null]))

  it('is the first that matches', () =>
    deepEqual(
      deciders(
        ['host all bob all trust', 'host all ana all reject', 'host all all all trust'],
        'ana@a ::1',
      ),
      [2],
    ))

  it('may be several where a host name or the interfaces decide', () => {
    const facts = { ...FACTS, interfaces: undefined }
    const lines = [
      'host all all samenet trust',
      'host all all db.example.com md5',
      'host all all ::/0 reject',
    ]
    deepEqual(deciders(lines, 'ana@fleet ::1', facts), [1, 2, 3])
    deepEqual(deciders(lines.slice(0, 2), 'ana@fleet ::1', facts), [1, 2, null])
    deepEqual(deciders(lines, 'ana@fleet socket', facts), [null])
  })

  it('takes words with a slash for names before PostgreSQL 16', () => {
    const facts = { ...FACTS, hasExpressions: false }
    deepEqual(deciders(['local /^fl all peer'], 'ana@fleet socket', facts), [null])
  })

  it('is taken apart as PostgreSQL does it', () =>
    deepEqual(
      tokenize('host  "a b",c , d\t+x # all "').map((field) =>
        field.map(({ text, isQuoted }) => (isQuoted ? `'${text}'` : text)),
      ),
      [['host'], ["'a b'", 'c', 'd'], ['+x']],
    ))

  it('goes on in the next line after a backslash', () =>
    deepEqual(logicalLines('local all \\\n\\\r\n"all" peer\nhost \\'), [
      'local all "all" peer',
      '"all" peer',
      '"all" peer',
      'host \\',
    ]))

  it('sees every address by one that stands for it', () => {
    const rules: HbaRule[] = ['host all all 10.0.0.0/8 trust', 'host all all 10.0.0.0/9 md5'].map(
      ruleOf,
    )
    const seen = representativeAddresses({ rules, interfaces: [] }).map(formatAddress)
    for (const wanted of ['9.255.255.255', '10.0.0.0', '10.128.0.0', '11.0.0.0', '::2'])
      deepEqual(seen.includes(wanted), true, wanted)
  })
})
