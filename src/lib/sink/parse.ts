import { UsageError } from '../errors.js'
import { dotenvSink } from './dotenv.js'
import { execSink } from './exec.js'
import { fileSink } from './file.js'
import { githubEnvSink } from './github-env.js'
import type { Sink } from './types.js'

/** The variable where none is named. */
const DEFAULT_VARIABLE = 'CLEVERCTL_API_KEY'
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]{0,99}$/

/**
 * A sink from its text: `file:PATH`, `exec:COMMAND`, `dotenv:PATH#NAME`, `github-env[:NAME]` or
 * `gitlab-dotenv:PATH#NAME`. Throws UsageError.
 */
export function parseSink(text: string, environment: NodeJS.ProcessEnv): Sink {
  const end = text.indexOf(':')
  const kind = end === -1 ? text : text.slice(0, end)
  const rest = end === -1 ? '' : text.slice(end + 1)
  if (kind === 'github-env')
    return githubEnvSink(environment['GITHUB_ENV'], variableOf(rest || DEFAULT_VARIABLE))
  if (rest === '') throw unknownSink()
  switch (kind) {
    case 'file':
      return fileSink(rest)
    case 'exec':
      return execSink(rest)
    case 'dotenv':
    case 'gitlab-dotenv': {
      const hash = rest.lastIndexOf('#')
      if (hash < 1) throw unknownSink()
      return dotenvSink(kind, rest.slice(0, hash), variableOf(rest.slice(hash + 1)))
    }
    default:
      throw unknownSink()
  }
}

function variableOf(text: string): string {
  if (VARIABLE.test(text)) return text
  throw new UsageError(
    'bad-variable',
    '--deliver: the name of a variable has letters, digits and underscores',
  )
}

function unknownSink(): UsageError {
  return new UsageError('bad-sink', '--deliver: this is no sink', {
    suggestions: [
      'file:PATH, exec:COMMAND, dotenv:PATH#NAME, github-env[:NAME] or gitlab-dotenv:PATH#NAME',
    ],
  })
}
