import { FailureError } from '../../errors.js'
import { endsOf, formatAddress, holds, parseAddress, parseNetwork } from '../../network.js'
import type { Address, Network } from '../../network.js'
import type { HbaRule, ServerAddress } from './types.js'

const WIDTH = 32
/** Two addresses, of which none is left for a broadcast (RFC 3021). */
const PAIR = 31

/** Whether rules name addresses by the interfaces of the server's machine. */
export function nameInterfaces(rules: readonly HbaRule[]): boolean {
  return rules.some(({ address }) => address?.kind === 'samehost' || address?.kind === 'samenet')
}

/**
 * The addresses of a machine with their masks, from what Linux says of itself. For IPv4 there is no file with masks: a
 * network is one of the machine's own where it is linked, holds a local address, and ends in a broadcast address, as
 * fib_add_ifaddr of fib_frontend.c makes them. A network that a route alone links has no broadcast address.
 * @param fibTrie /proc/net/fib_trie
 * @param inet6 /proc/net/if_inet6; null on a machine without IPv6
 * @throws FailureError where an address was given no usual mask, so that what samenet stands for cannot be told
 */
export function parseInterfaces(fibTrie: string, inet6: string | null): ServerAddress[] {
  return [...addressesOf(parseRoutes(fibTrie)), ...parseInet6(inet6 ?? '')]
}

type Route = Network & { scope: string; type: string }

function addressesOf(routes: readonly Route[]): ServerAddress[] {
  const single = (type: string) =>
    routes.filter((route) => route.type === type && route.prefix === WIDTH)
  const locals = single('LOCAL')
  const broadcasts = new Set(single('BROADCAST').map(({ bits }) => bits))
  const networks = routes.filter((route) => {
    const isLinked = route.scope === 'link' ? route.type === 'UNICAST' : route.type === 'LOCAL'
    const isOwn = route.prefix === PAIR || broadcasts.has(endsOf(route)[1].bits)
    return isLinked && isOwn && route.prefix < WIDTH && locals.some((own) => holds(route, own))
  })
  const ends = new Set(networks.flatMap((network) => endsOf(network).map(({ bits }) => bits)))
  for (const bits of broadcasts)
    if (!ends.has(bits))
      throw new FailureError(
        'interfaces-unclear',
        `no linked network ends in the broadcast address ${formatAddress({ family: 4, bits })}`,
      )
  return locals.flatMap((own) => {
    const around = networks.filter((network) => holds(network, own))
    return (around.length > 0 ? around : [own]).map(({ prefix }) => withMask(own, prefix))
  })
}

/** What is in all tables; the same route is often in two. */
function parseRoutes(fibTrie: string): Route[] {
  const routes = new Map<string, Route>()
  let address = ''
  for (const line of fibTrie.split('\n')) {
    address = /^ *\|-- ([\d.]+)$/.exec(line)?.[1] ?? address
    const [text, prefix, scope = '', type = ''] = /^ *\/(\d+) (\w+) ([A-Z]+)/.exec(line) ?? []
    const network = parseNetwork(`${address}/${prefix}`)
    if (text !== undefined && network)
      routes.set(`${address} ${text.trim()}`, { ...network, scope, type })
  }
  return [...routes.values()]
}

/** Lines of an address, the number of its interface, and its prefix, all hexadecimal. */
function parseInet6(text: string): ServerAddress[] {
  return text.split('\n').flatMap((line) => {
    const [, digits = '', prefix = ''] = /^([0-9a-f]{32}) [0-9a-f]+ ([0-9a-f]+) /.exec(line) ?? []
    const address = parseAddress(digits.replaceAll(/(.{4})(?=.)/g, '$1:'))
    return address ? [withMask(address, parseInt(prefix, 16))] : []
  })
}

function withMask({ family, bits }: Address, prefix: number): ServerAddress {
  const all = endsOf({ family, bits: 0n, prefix: 0 })[1].bits
  const host = endsOf({ family, bits: 0n, prefix })[1].bits
  return { address: { family, bits }, mask: all ^ host }
}
