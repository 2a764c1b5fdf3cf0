import { Args, Flags } from '@oclif/core'
import type { RepositoryBackups } from '../backup/judge-backups.js'
import type { RepositoryFacts, RepositoryMachine } from '../backup/repository/types.js'
import { UsageError } from '../errors.js'
import type { Screen } from './screen.js'

/** The number of a repository. */
export const repositoryNumber = Args.custom<number>({
  parse: async (text) => parseRepositoryNumber(text),
  ignoreStdin: true,
})

/** For commands that can be told to look at one repository alone. */
export function repositoryFlag({ description }: { description: string }) {
  const parse = async (text: string) => parseRepositoryNumber(text)
  return { repo: Flags.custom<number>({ parse, helpValue: 'NUMBER' })({ description }) }
}

/** Not by oclif's own parser, whose error for a word that is no number is none of its usage errors. */
function parseRepositoryNumber(text: string): number {
  const number = Number(text)
  if (/^[1-9]\d{0,2}$/.test(text) && number <= 256) return number
  throw new UsageError('bad-number', 'the number of a repository is a whole one from 1 to 256')
}

/** Where a repository lies, in a line. */
export function placeOf({ kind, settings }: Pick<RepositoryFacts, 'kind' | 'settings'>): string {
  const { path, port, account, bucket, container, endpoint } = settings
  const store = [account, bucket ?? container].filter((each) => each !== undefined).join('/')
  const place = `${store}${path ?? ''}`
  const at = endpoint === undefined ? '' : ` at ${endpoint}${port === undefined ? '' : `:${port}`}`
  return kind === 'posix' ? place : `${kind} ${place}${at}`
}

/** Draws what became of the configuration on each machine. */
export function drawMachines(screen: Screen, machines: readonly RepositoryMachine[]): void {
  for (const { name, outcome, reason } of machines)
    screen.mark(outcome === 'failed' ? 'failure' : 'ok', reason ?? name, outcome)
}

/** Lines that say which backup is the last one; with several repositories, in each of them. */
export function lastBackupFacts(
  screen: Screen,
  repositories: readonly RepositoryBackups[],
): [title: string, text: string][] {
  const isOne = repositories.length === 1
  return repositories.map(({ number, last }) => [
    isOne ? 'last backup' : `last backup in repository ${number}`,
    last ? `${last.label}, ${screen.time(last.stoppedAt)}` : '-',
  ])
}
