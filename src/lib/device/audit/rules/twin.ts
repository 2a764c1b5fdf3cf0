import { KEPT_RETURNS } from '../../../gate/address-store.js'
import { selectAlternating } from '../address-store.js'
import { defineRule } from '../types.js'

/** A logger on a mobile network changes its address, but does not return to former ones all the time. */
const WITHIN_MS = 3_600_000

/** One identity at two places at once: two addresses take turns. */
export const twin = defineRule({
  kind: 'twin',
  severity: 'error',
  summary: 'one identity at two places at once',
  help:
    `The device was heard from former addresses again ${KEPT_RETURNS} times within an hour, each time after ` +
    'another address had been in use: two places send with one secret. Addresses that change, as mobile ' +
    'networks do it, are no finding. Not seen: twins behind one address, twins that send less than every ' +
    'quarter of an hour, and any where gates do not see the addresses of senders (gate serve --trust-proxy).',
  filters: ['installation', 'batch'],
  select: (database, scope) => selectAlternating(database, scope, WITHIN_MS),
  found: ({ serial, installation, lastReturnAt, addresses }) => ({
    serial,
    installation,
    evidence: {
      returnsWithinAnHour: KEPT_RETURNS,
      lastReturnAt: lastReturnAt.toISOString(),
      addresses: addresses.map(({ lastAt, ...used }) => ({
        ...used,
        lastAt: new Date(lastAt).toISOString(),
      })),
    },
    next: `cleverctl device rotate-secret ${serial} --grace 0 --output secret.txt`,
  }),
  tell: ({ addresses, lastReturnAt }, time) =>
    `${addresses.map(({ address }) => address).join(' and ')} by turns, last ${time(lastReturnAt)}`,
})
