const FORM = /^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/

/** Whether a value is a place in the WAL as PostgreSQL writes it. */
export function isLsn(value: unknown): value is string {
  return typeof value === 'string' && FORM.test(value)
}

/** A place in the WAL, `16/B374D848`, as a number of bytes. */
export function parseLsn(text: string): bigint {
  const [high = '', low = ''] = text.split('/')
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`)
}

/** How many bytes one place is behind another; 0 where it is not. */
export function bytesBehind(place: string, other: string): number {
  const difference = parseLsn(other) - parseLsn(place)
  return difference > 0n ? Number(difference) : 0
}
