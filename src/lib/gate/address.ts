import { isIP, isIPv6 } from 'node:net'

/** An address as PostgreSQL's inet takes it; null for what is none. */
export function storableAddress(address: string): string | null {
  const plain = plainAddress(address)
  return isIP(plain) === 0 ? null : plain
}

/**
 * What is counted as one address: an IPv4 address, or the /64 network of an IPv6 address, for whoever has
 * one of its addresses has all of them.
 */
export function network(address: string): string {
  if (!address.includes(':')) return address
  const plain = plainAddress(address)
  if (!isIPv6(plain)) return plain
  const [head = '', tail] = plain.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right]
  return groups.slice(0, 4).join(':')
}

/** The address or network that {@link network} counts as one, as PostgreSQL's inet takes it; null for none. */
export function storableNetwork(address: string): string | null {
  if (!address.includes(':')) return isIP(address) === 0 ? null : address
  const plain = plainAddress(address)
  return isIPv6(plain) ? `${network(plain)}::/64` : storableAddress(plain)
}

const MAPPED_PREFIX = /^::ffff:(?=\d+\.)/i
const ZONE = /%.*$/s

/** An IPv4 address that came over an IPv6 socket is an IPv4 address; a zone names an interface of ours. */
function plainAddress(address: string): string {
  return address.replace(MAPPED_PREFIX, '').replace(ZONE, '')
}
