import { isIP } from 'node:net'

/** An address of IPv4 or IPv6 as a number. */
export interface Address {
  family: 4 | 6
  bits: bigint
}

/** A block of addresses: those that share the first `prefix` bits. */
export interface Network extends Address {
  prefix: number
}

const WIDTH = { 4: 32, 6: 128 } as const
const GROUPS = 8

/** An address in text, or undefined where it is none. A zone (`%eth0`) is none of ours. */
export function parseAddress(text: string): Address | undefined {
  const family = isIP(text)
  if (family === 4) return { family, bits: bitsOfIPv4(text) }
  if (family !== 6 || text.includes('%')) return undefined
  const [head = '', tail] = withoutDotted(text).split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: GROUPS - first.length - last.length }, () => '0')
  const groups = [...first, ...(tail === undefined ? [] : zeros), ...last]
  return { family: 6, bits: groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n) }
}

/**
 * `10.77.0.0/24`, `fd00::/8`, or one address; undefined where it is none. Bits to the right of the
 * prefix stay what they are: {@link isWholeNetwork} tells.
 */
export function parseNetwork(text: string): Network | undefined {
  const [, addressText = '', prefixText] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const address = parseAddress(addressText)
  if (!address) return undefined
  const width = WIDTH[address.family]
  const prefix = prefixText === undefined ? width : Number(prefixText)
  return prefix <= width ? { ...address, prefix } : undefined
}

/** Whether nothing is set to the right of the prefix. */
export function isWholeNetwork({ family, bits, prefix }: Network): boolean {
  return (bits & hostMask(family, prefix)) === 0n
}

/** Whether a network holds an address or a whole other network. */
export function holds(network: Network, other: Address & { prefix?: number }): boolean {
  const { family, bits, prefix } = network
  if (family !== other.family || prefix > (other.prefix ?? WIDTH[family])) return false
  const hostBits = BigInt(WIDTH[family] - prefix)
  return bits >> hostBits === other.bits >> hostBits
}

/** The first and the last address of a network. */
export function endsOf({ family, bits, prefix }: Network): [first: Address, last: Address] {
  return [
    { family, bits },
    { family, bits: bits | hostMask(family, prefix) },
  ]
}

/** An address in the usual notation, IPv6 as RFC 5952 has it but never with a dotted end. */
export function formatAddress({ family, bits }: Address): string {
  const width = family === 4 ? 8 : 16
  const count = WIDTH[family] / width
  const parts = Array.from({ length: count }, (_, index) => {
    const part = (bits >> BigInt((count - 1 - index) * width)) & ((1n << BigInt(width)) - 1n)
    return part.toString(family === 4 ? 10 : 16)
  })
  if (family === 4) return parts.join('.')
  // A URL's host is shortened in the one way that everybody agrees on.
  return new URL(`http://[${parts.join(':')}]`).hostname.slice(1, -1)
}

/** A network in the usual notation, with its prefix. */
export function formatNetwork(network: Network): string {
  return `${formatAddress(network)}/${network.prefix}`
}

function hostMask(family: 4 | 6, prefix: number): bigint {
  return (1n << BigInt(WIDTH[family] - prefix)) - 1n
}

function bitsOfIPv4(text: string): bigint {
  return text.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n)
}

/** `::ffff:10.0.0.1` with its last four bytes as two groups. */
function withoutDotted(text: string): string {
  const [, head = '', dotted] = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text) ?? []
  if (dotted === undefined) return text
  const bits = bitsOfIPv4(dotted)
  return `${head}${(bits >> 16n).toString(16)}:${(bits & 0xffffn).toString(16)}`
}
