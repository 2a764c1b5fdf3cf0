import { UsageError } from '../errors.js'

/** What oclif's parser adds to its errors, as far as it is used here. */
interface ParserError extends Error {
  args?: readonly (string | { name: string })[]
  flags?: readonly string[]
}

/** What is needed of a command to word an error about its command line. */
interface DescribedCommand {
  id: string
  args: object
}

/** oclif puts these words round whatever a flag's own parser threw. */
const WRAPPED = /^Parsing --(\S+) \n\t([\s\S]*)\nSee more help with --help$/

/**
 * Translates an error of oclif's parser; undefined for any other error.
 *
 * A rejected value is never repeated: it may be a secret that was given in the wrong place.
 */
export function usageErrorOf(error: unknown, command: DescribedCommand): UsageError | undefined {
  if (!(error instanceof Error)) return undefined
  const [, flag, reason] = WRAPPED.exec(error.message) ?? []
  const isOurs = error instanceof UsageError
  if (isOurs ? flag === undefined : !isOclifError(error)) return undefined
  const words = isOurs ? (reason ?? '') : withoutValue(reason ?? '')
  const message = flag === undefined ? describe(error, command) : `--${flag}: ${words}`
  const suggestions = isOurs ? error.suggestions : []
  return new UsageError(isOurs ? error.code : 'usage', message, {
    suggestions: [...suggestions, `cleverctl ${command.id.replaceAll(':', ' ')} --help`],
  })
}

/** Whether oclif threw it; a plugin brings its own copy of oclif, so its class does not tell. */
export function isOclifError(error: unknown): error is Error {
  return error instanceof Error && 'oclif' in error
}

function describe(error: ParserError, command: DescribedCommand): string {
  const { flags, args = [] } = error
  if (Array.isArray(flags)) return `unknown flag ${flags.map(nameOnly).join(', ')}`
  const missing = args.flatMap((arg) => (typeof arg === 'string' ? [] : [arg.name.toUpperCase()]))
  if (missing.length > 0) return `missing ${missing.join(' and ')}`
  // A command that takes none is found by its first words alone, and oclif takes the rest for a name.
  if (/^command [\s\S]* not found$/.test(error.message))
    return `too many arguments: at most ${Object.keys(command.args).length} are taken`
  if (args.length > 0)
    return `too many arguments: at most ${Object.keys(command.args).length} are taken, ${args.length} more were given`
  return withoutValue(error.message)
}

/** `--token=abc` and `-pabc` without what may be a secret. */
function nameOnly(flag: string): string {
  return flag.startsWith('--') ? (flag.split('=')[0] ?? flag) : flag.slice(0, 2)
}

/** oclif's own sentences, without the value that each of them repeats. */
function withoutValue(message: string): string {
  return message
    .replace(/^The following errors? occurred:\s*/, '')
    .replace(/^Expected (--[^=\s]+)=[\s\S]* to be one of: /, '$1 must be one of: ')
    .replace(/^Expected [\s\S]* to be one of: /, 'an argument must be one of: ')
    .replace(
      /(--[^=\s]+)(?:=[\s\S]*?)? cannot also be provided when using (--\S+)/g,
      '$1 and $2 exclude each other',
    )
    .replace(/ (?:but received|at): [\s\S]*$/, '')
    .replace(/^(No (?:file|directory) found) at [\s\S]*$/, '$1')
    .replace(/\n?See more help with --help$/, '')
    .replace(/^\s*Missing required flag (\S+)/gm, 'missing --$1')
    .replace(/^\s*[A-Z](?=[a-z])/gm, (letter) => letter.toLowerCase())
    .replace(/\n\s*/g, '; ')
}
