import { deepEqual, throws } from 'node:assert/strict'
import { parseInterfaces } from '../../../src/lib/access/hba/interfaces.js'
import { formatNetwork } from '../../../src/lib/network.js'

/** A table of /proc/net/fib_trie, from its leaves: `10.77.0.1/32 host LOCAL`. */
function table(name: string, leaves: readonly string[]): string {
  const text = leaves.map((leaf) => leaf.replace(/^(\S+)\//, '        |-- $1\n           /'))
  return [`${name}:`, '  +-- 0.0.0.0/0 3 0 5', ...text, ''].join('\n')
}

/** What the kernel has for the loopback interface alone. */
const LOOPBACK = [
  '127.0.0.0/8 host LOCAL',
  '127.0.0.1/32 host LOCAL',
  '127.255.255.255/32 link BROADCAST',
]

/** The length of a mask, in binary digits; -1 where its ones are not all in front. */
const prefixOf = (digits: string) => /^(1*)0*$/.exec(digits)?.[1]?.length ?? -1

const found = (leaves: readonly string[], inet6: string | null = null, main = leaves) =>
  parseInterfaces(table('Main', main) + table('Local', leaves), inet6).map(({ address, mask }) =>
    formatNetwork({ ...address, prefix: prefixOf(mask.toString(2)) }),
  )

describe('the addresses of a machine', () => {
  // Each as a kernel wrote it after `ip address add` and `ip route add` in a namespace of its own.
  const cases: [what: string, leaves: string[], addresses: string[]][] = [
    [
      'with the mask of their network, one of them twice',
      [
        ...['10.77.0.0/24 link UNICAST', '10.77.0.1/32 host LOCAL', '10.77.0.9/32 host LOCAL'],
        '10.77.0.255/32 link BROADCAST',
      ],
      ['10.77.0.1/24', '10.77.0.9/24'],
    ],
    [
      'with a broadcast address at both ends, as older kernels have it',
      [
        ...['10.77.0.0/24 link UNICAST', '10.77.0.0/32 link BROADCAST', '10.77.0.1/32 host LOCAL'],
        '10.77.0.255/32 link BROADCAST',
      ],
      ['10.77.0.1/24'],
    ],
    ['of a pair', ['10.77.0.0/32 host LOCAL', '10.77.0.0/31 link UNICAST'], ['10.77.0.0/31']],
    [
      'without networks that routes alone make',
      [
        ...['10.0.0.0/8 link UNICAST', '10.77.0.1/32 host LOCAL', '192.0.2.0/24 host LOCAL'],
        '0.0.0.0/0 universe UNICAST',
      ],
      ['10.77.0.1/32'],
    ],
    [
      'of a link with a peer',
      ['10.77.0.1/32 host LOCAL', '10.77.0.2/32 link UNICAST'],
      ['10.77.0.1/32'],
    ],
  ]
  for (const [what, leaves, addresses] of cases)
    it(`are known ${what}`, () =>
      deepEqual(found([...leaves, ...LOOPBACK]), [...addresses, '127.0.0.1/8']))

  it('are known from tables of which each has a part', () => {
    const local = ['10.77.0.1/32 host LOCAL', '10.77.0.255/32 link BROADCAST']
    deepEqual(found(local, null, ['10.77.0.0/24 link UNICAST']), ['10.77.0.1/24'])
  })

  it('of IPv6 have their prefix beside them', () => {
    const inet6 = `00000000000000000000000000000001 01 80 10 80       lo
fe8000000000000000fc00fffe000001 04 40 20 80     eth0
fd000000000000000000000000000002 04 30 00 82     eth0
`
    deepEqual(found([], inet6), ['::1/128', 'fe80::fc:ff:fe00:1/64', 'fd00::2/48'])
  })

  it('are not known where a broadcast address belongs to no network', () => {
    const without = ['10.77.0.1/32 host LOCAL', '10.77.0.255/32 link BROADCAST']
    throws(() => found([...without, ...LOOPBACK]), { code: 'interfaces-unclear' })
    const odd = ['10.9.9.9/32 link BROADCAST', ...LOOPBACK]
    throws(() => found(odd), /10\.9\.9\.9/)
  })
})
