/** An error for the log. Messages of drivers and parsers may repeat what was sent, so they stay out. */
export function harmless(error: unknown, withStack: boolean): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: typeof error }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return { error: error.name, code, ...(withStack ? { stack: framesOf(error) } : {}) }
}

/** The stack without the message at its head. */
export function framesOf({ stack = '' }: Error): string {
  const lines = stack.split('\n').filter((line) => line.startsWith('    at '))
  return lines.join('\n')
}
