import { Args, Flags } from '@oclif/core'
import { gitleaksRules } from '../../lib/api-key/scan/gitleaks.js'
import type { Leak, ScanReport } from '../../lib/api-key/scan/types.js'
import { scanForLeaks } from '../../lib/api-key/scan.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { yesFlag } from '../../lib/terminal/flags.js'
import { sarifFile, sarifFlag } from '../../lib/terminal/sarif.js'

type Result = ScanReport | { gitleaksRules: string }

export default class ApiKeyScan extends BaseCommand<Result> {
  static override summary = 'find leaked API keys and device secrets'
  static override description =
    'Searches files as bytes, folders with all that is in them but .git, stdin and with --git whole ' +
    'histories, and says by the database which finds are live. Links are not followed; archives, ' +
    'compressed and encoded text are not unpacked. Exit codes: 0 nothing live; 8 something live, also ' +
    'after --revoke, because it had leaked; 1 nothing live, but a place could not be read; 3 a key ' +
    'could not be revoked. With --offline everything with a right checksum counts as live.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> .',
    '<%= config.bin %> <%= command.id %> . --git --sarif leaks.sarif',
    'git diff --cached | <%= config.bin %> <%= command.id %> - --offline',
    '<%= config.bin %> <%= command.id %> /var/log --revoke --yes',
  ]

  static override strict = false

  static override args = {
    path: Args.string({
      description: 'file or folder, - for stdin; more may follow',
      ignoreStdin: true,
    }),
  }

  static override flags = {
    git: Flags.boolean({
      description:
        'search the history of every git repository there, with deleted files and stashes',
    }),
    ...sarifFlag,
    offline: Flags.boolean({
      description: 'ask no database; say only what the text tells',
      exclusive: ['revoke'],
    }),
    revoke: Flags.boolean({ description: 'revoke the live API keys that are found' }),
    ...yesFlag,
    'print-gitleaks-rules': Flags.boolean({
      description: 'print rules for gitleaks and scan nothing',
      exclusive: ['git', 'sarif', 'offline', 'revoke'],
    }),
  }

  protected async execute(): Promise<Result> {
    const { argv, flags } = await this.parse(ApiKeyScan)
    if (flags['print-gitleaks-rules']) return { gitleaksRules: gitleaksRules() }
    if (flags.revoke) await this.confirm(flags, 'Revoke every live API key that is found?')
    const workspace = flags.offline ? undefined : await this.workspaceFor(flags, flags.revoke)
    return scanForLeaks(this.surroundings(flags), workspace, {
      paths: argv.map(String),
      hasGit: flags.git,
      revokes: flags.revoke,
      sarif: sarifFile(flags.sarif, this.config.version),
    })
  }

  protected render(result: Result): void {
    if ('gitleaksRules' in result) return this.screen.preformatted(result.gitleaksRules.trimEnd())
    const { findings, notChecked } = result
    this.screen.table(
      findings,
      [
        { title: 'STATE', text: stateOf, mark: (leak) => (isBad(leak) ? 'failure' : undefined) },
        { title: 'KIND', text: ({ kind }) => kind },
        { title: 'ID', text: ({ keyId, serial }) => keyId ?? serial ?? '-' },
        { title: 'CHECKSUM', text: checksumOf, isMinor: true },
        { title: 'INSTALLATION', text: ({ installation }) => installation ?? '-' },
        { title: 'COMMIT', text: shortCommit, value: ({ commit }) => commit ?? '-' },
        { title: 'REPOSITORY', text: ({ repository }) => repository ?? '-', isMinor: true },
        { title: 'PLACE', text: placeOf },
      ],
      'no secret found',
    )
    for (const { path, reason } of notChecked) this.screen.mark('warning', `${path}: ${reason}`)
  }
}

function stateOf({ state, revoked }: Leak): string {
  return revoked ? `${state}, revoked` : state
}

function isBad({ live, checksumMatches }: Leak): boolean {
  return live ?? checksumMatches !== false
}

function checksumOf({ checksumMatches }: Leak): string {
  return checksumMatches === null ? '-' : checksumMatches ? 'right' : 'wrong'
}

function shortCommit({ commit }: Leak): string {
  return commit?.slice(0, 10) ?? '-'
}

function placeOf({ file, line, column, object }: Leak): string {
  const path = file ?? (object === undefined ? '-' : `object ${object}`)
  return line === null ? path : `${path}:${line}:${column}`
}
