import { endsOf, type Address, type Network } from '../../network.js'
import type { HbaRule, ServerAddress } from './types.js'

const ALL = { 4: (1n << 32n) - 1n, 6: (1n << 128n) - 1n } as const

/**
 * Addresses that stand for all: rules cannot tell any address from one of these. The rules' networks lie
 * inside or beside one another, so the ends of each, and what is next to them, are enough. A mask with
 * gaps is no network, and is given its two ends only.
 * @param hba with what samehost and samenet stand for, or why that is not known
 * @param networks others from which addresses are to be told apart as well
 */
export function representativeAddresses(
  hba: { rules: readonly HbaRule[]; interfaces: readonly ServerAddress[] | Error },
  networks: readonly Network[] = [],
): Address[] {
  const { rules, interfaces } = hba
  const found = new Map<string, Address>()
  const add = (family: 4 | 6, bits: bigint): void => {
    if (bits >= 0n && bits <= ALL[family]) found.set(`${family}:${bits}`, { family, bits })
  }
  add(4, 1n)
  add(6, 2n)
  const addBorders = (family: 4 | 6, first: bigint, last: bigint): void => {
    for (const point of [first - 1n, first, last, last + 1n]) add(family, point)
  }
  const addAround = ({ family, bits }: Address, mask: bigint): void => {
    addBorders(family, bits & mask, (bits & mask) | (ALL[family] ^ mask))
  }
  for (const { address } of rules)
    if (address?.kind === 'masked') addAround(address.network, address.mask)
  for (const { address, mask } of interfaces instanceof Error ? [] : interfaces) {
    addAround(address, mask)
    addAround(address, ALL[address.family])
  }
  for (const network of networks) {
    const [first, last] = endsOf(network)
    addBorders(network.family, first.bits, last.bits)
  }
  return [...found.values()]
}
