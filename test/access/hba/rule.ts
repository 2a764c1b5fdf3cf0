import { readHbaRow, tokenize } from '../../../src/lib/access/hba/read.js'
import type { HbaRule } from '../../../src/lib/access/hba/types.js'
import { parseNetwork } from '../../../src/lib/network.js'

/** A rule from a line of pg_hba.conf, through the row that pg_hba_file_rules would show for it. */
export function ruleOf(line: string, index = 0): HbaRule {
  const fields = tokenize(line).map((field) => field.map(({ text }) => text))
  const [type = [], databases = [], users = [], ...rest] = fields
  const [address = '', ...more] = type[0] === 'local' ? [] : rest.map(([text = '']) => text)
  const network = parseNetwork(address)
  const isMasked = more.length > 1
  const width = network?.family === 6 ? 128 : 32
  const mask = ((1n << BigInt(network?.prefix ?? 0)) - 1n) << BigInt(width - (network?.prefix ?? 0))
  const rule = readHbaRow(
    {
      file: null,
      line: index + 1,
      type: type[0] ?? null,
      databases,
      users,
      address: network ? (address.split('/')[0] ?? null) : address,
      netmask: isMasked ? (more[0] ?? null) : network ? dotted(network.family, mask) : null,
      method: rest.at(-1)?.[0] ?? null,
      options: null,
      error: null,
    },
    line,
  )
  if (!rule) throw new Error(`no rule: ${line}`)
  return rule
}

function dotted(family: 4 | 6, mask: bigint): string {
  const [count, width] = family === 4 ? [4, 8n] : [8, 16n]
  const parts = Array.from({ length: count }, (_, index) => {
    const part = (mask >> (BigInt(count - 1 - index) * width)) & ((1n << width) - 1n)
    return part.toString(family === 4 ? 10 : 16)
  })
  return parts.join(family === 4 ? '.' : ':')
}
