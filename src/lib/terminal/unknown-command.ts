import { closest, distance } from 'fastest-levenshtein'
import { UsageError } from '../errors.js'

/** More letters than this may not differ between what was typed and what is suggested. */
const MAX_DISTANCE = 3
/** A word of a command's name; anything else on the command line may be a secret and is not repeated. */
const COMMAND_WORD = /^[a-z][a-z-]{0,24}$/

/**
 * The error for a command that does not exist, with the nearest one that does.
 * @param argv the command line
 * @param names every command, words separated by spaces
 */
export function unknownCommand(argv: readonly string[], names: readonly string[]): UsageError {
  if (argv[0]?.startsWith('-'))
    return new UsageError('unknown-command', 'a command comes before its flags', {
      suggestions: ['cleverctl help'],
    })
  const end = argv.findIndex((word) => !COMMAND_WORD.test(word))
  const words = argv.slice(0, end === -1 ? argv.length : end)
  const topics = new Set(names.map((name) => name.replace(/ .*/, '')))
  const [first] = words
  if (first !== undefined && words.length === 1 && topics.has(first))
    return new UsageError('incomplete-command', `${first} is not a command by itself`, {
      suggestions: [`cleverctl help ${first}`],
    })
  const shown = words.slice(0, first !== undefined && topics.has(first) ? 2 : 1).join(' ')
  const nearest = nearestName(words, [...new Set([...names, ...topics])])
  const suggestion =
    nearest === undefined ? 'help' : names.includes(nearest) ? nearest : `help ${nearest}`
  return new UsageError('unknown-command', `unknown command${shown ? ` ${shown}` : ''}`, {
    suggestions: [`cleverctl ${suggestion}`],
  })
}

/** The near name of most words; each name is compared with as many words as it has itself. */
function nearestName(words: readonly string[], names: readonly string[]): string | undefined {
  const near = [2, 1].map((length) => {
    const typed = words.slice(0, length).join(' ')
    const candidates = names.filter((name) => name.split(' ').length === length)
    if (words.length < length || candidates.length === 0) return undefined
    const name = closest(typed, candidates)
    return distance(typed, name) <= MAX_DISTANCE ? name : undefined
  })
  return near.find((name) => name !== undefined)
}
