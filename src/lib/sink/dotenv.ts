import { ConflictError } from '../errors.js'
import { readFormer, replaceFile } from './replace-file.js'
import type { Sink } from './types.js'

/**
 * A variable in a file of lines NAME=value: its line is replaced, or one is added at the end. Everything else
 * of the file stays. A key needs no quotes, so every reader of such files takes it alike.
 * @param kind how the sink was named: `dotenv` or `gitlab-dotenv`
 */
export function dotenvSink(kind: string, path: string, variable: string): Sink {
  const change = (former: Buffer | undefined, value: string): string =>
    setVariable(former?.toString('utf8') ?? '', { path, variable, value })
  return {
    name: `${kind}:${path}#${variable}`,
    canPutBack: true,
    check: async () => void change((await readFormer(path))?.content, ''),
    deliver: async (secret) => replaceFile(path, (former) => change(former, secret.reveal())),
  }
}

/** Throws ConflictError when the variable's value goes over several lines. */
function setVariable(
  text: string,
  { path, variable, value }: { path: string; variable: string; value: string },
): string {
  const line = new RegExp(`^([ \\t]*(?:export[ \\t]+)?${variable}[ \\t]*=)([^\\r\\n]*)`, 'gm')
  let isThere = false
  const changed = text.replace(line, (_whole, start: string, former: string) => {
    if (isOpen(former))
      throw new ConflictError(
        'value-of-several-lines',
        `the value of ${variable} in ${path} goes over several lines`,
        { suggestions: [`remove it from ${path}, then give the command again`] },
      )
    isThere = true
    return `${start}${value}`
  })
  if (isThere) return changed
  const newline = text.includes('\r\n') ? '\r\n' : '\n'
  const isEnded = text === '' || text.endsWith('\n')
  return `${text}${isEnded ? '' : newline}${variable}=${value}${newline}`
}

/** Whether a value begins with a quote that is not closed on its line. */
function isOpen(value: string): boolean {
  const [quote] = value.trimStart()
  if (quote !== '"' && quote !== "'" && quote !== '`') return false
  return value.trimStart().indexOf(quote, 1) === -1
}
