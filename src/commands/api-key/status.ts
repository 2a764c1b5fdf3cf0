import { Args, Flags } from '@oclif/core'
import { ROTATION_PROBLEMS } from '../../lib/api-key/rotation-problems.js'
import {
  apiKeyStatus,
  checkApiKeys,
  DEFAULT_NEAR_MS,
  type ApiKeyStatus,
  type RotationStatus,
} from '../../lib/api-key/status.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { durationFlag, pageFlags } from '../../lib/terminal/flags.js'
import { stragglerColumns } from '../../lib/terminal/key-columns.js'

export default class ApiKeyStatusCommand extends BaseCommand<ApiKeyStatus> {
  static override summary = 'how far the rotation of API keys has come'
  static override description =
    'Which key is current, which former ones still work, how many devices were seen with the new key, ' +
    'and which were not. Without a code: every installation whose keys are changing or in trouble. ' +
    'With --check the exit code is 8 when a deadline is near or has passed with devices left behind, ' +
    'when a key has expired or will within 14 days, or when devices have no current key.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> solar-0042',
    '<%= config.bin %> <%= command.id %> --check --near 3d',
  ]

  static override args = {
    installation: Args.string({ description: 'code of the installation', ignoreStdin: true }),
  }

  static override flags = {
    check: Flags.boolean({
      description: 'only what needs attention; exit code 8 if anything does',
    }),
    near: durationFlag({
      description:
        'how long before its end a deadline is near, half of the overlap at most [default: 3d]',
    }),
    ...pageFlags,
  }

  protected async execute(): Promise<ApiKeyStatus> {
    const { args, flags } = await this.parse(ApiKeyStatusCommand)
    const { installation } = args
    const { near: nearMs = DEFAULT_NEAR_MS, limit, cursor } = flags
    const workspace = await this.workspace(flags)
    if (flags.check) return checkApiKeys(workspace, { installation, nearMs })
    return apiKeyStatus(workspace, { installation, nearMs, limit, cursor })
  }

  protected render({ installations, nextCursor }: ApiKeyStatus): void {
    this.screen.table(
      installations,
      [
        { title: 'INSTALLATION', text: ({ installation }) => installation },
        { title: 'CURRENT', text: ({ current }) => current?.keyId ?? '-' },
        {
          title: 'SINCE',
          text: ({ current }) => this.screen.time(current?.createdAt),
          isMinor: true,
        },
        {
          title: 'ADOPTED',
          text: ({ adopted, devices }) => `${adopted} of ${devices}`,
          align: 'right',
        },
        { title: 'FORMER UNTIL', text: ({ grace }) => this.screen.time(grace[0]?.graceUntil) },
        {
          title: 'STATE',
          text: ({ problems, grace }) =>
            problems.join(' ') || (grace.length > 0 ? 'changing' : 'ok'),
          mark: ({ problems }) => (problems.length > 0 ? 'warning' : 'ok'),
        },
      ],
      'no API key is changing or in trouble',
    )
    for (const installation of installations) this.#renderStragglers(installation)
    if (nextCursor !== undefined && this.screen.isTerminal)
      this.screen.line(`more: --cursor ${nextCursor}`)
  }

  /** A pipe gets the rows of installations alone: their number of columns is one. */
  #renderStragglers({ installation, stragglers, problems }: RotationStatus): void {
    if (!this.screen.isTerminal) return
    for (const problem of problems)
      this.screen.mark('warning', ROTATION_PROBLEMS[problem], installation)
    if (stragglers.length === 0) return
    this.screen.line()
    this.screen.heading(`Devices of ${installation} that were not seen with the current key`)
    this.screen.table(stragglers, stragglerColumns(this.screen))
  }
}
