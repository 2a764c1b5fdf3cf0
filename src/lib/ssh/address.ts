import type { Fault } from '../fault.js'

const ADDRESS_FORM = /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/
const IPV6_FORM = /^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9._-]+)?$/
const USERNAME_FORM = /^[A-Za-z_][A-Za-z0-9._-]{0,63}$/

/** What is wrong with a host name or IP address; undefined for a good one. */
export function faultOfAddress(address: string): Fault | undefined {
  if (ADDRESS_FORM.test(address) || IPV6_FORM.test(address)) return undefined
  return { code: 'bad-address', reason: 'an address is a host name or an IP address' }
}

/** What is wrong with a user name; undefined for a good one. */
export function faultOfUsername(username: string): Fault | undefined {
  if (USERNAME_FORM.test(username)) return undefined
  const reason = 'a user name is letters, digits, dots, hyphens and underscores, 64 at most'
  return { code: 'bad-username', reason }
}

/** What is wrong with a port; undefined for a good one. */
export function faultOfPort(port: number): Fault | undefined {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return undefined
  return { code: 'bad-port', reason: 'a port is a number from 1 to 65535' }
}
