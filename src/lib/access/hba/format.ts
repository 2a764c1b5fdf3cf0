import { formatAddress } from '../../network.js'
import type { HbaRule, RuleAddress, Token } from './types.js'

/** A rule as a line of pg_hba.conf. */
export function formatRule({ type, databases, users, address, method, options }: HbaRule): string {
  const where = address ? [formatRuleAddress(address)] : []
  return [type, words(databases), words(users), ...where, method, ...options].join(' ')
}

/** Where a rule is, for people. */
export function placeOf({ file, line }: Pick<HbaRule, 'file' | 'line'>): string {
  return `${file === '' ? 'pg_hba.conf' : file} line ${line}`
}

function formatRuleAddress(address: RuleAddress): string {
  if (address.kind === 'hostname') return address.name
  if (address.kind !== 'masked') return address.kind
  const { family } = address.network
  return `${formatAddress(address.network)} ${formatAddress({ family, bits: address.mask })}`
}

function words(tokens: readonly Token[]): string {
  return tokens
    .map(({ text, isQuoted }) => (isQuoted || /[\s,#]/.test(text) ? `"${text}"` : text))
    .join(',')
}
