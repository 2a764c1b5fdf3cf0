import { Flags } from '@oclif/core'
import { setTimeout as sleep } from 'node:timers/promises'
import { clusterStatus } from '../../lib/cluster/status.js'
import type { ClusterStatus } from '../../lib/cluster/types.js'
import { IncompleteError, UsageError } from '../../lib/errors.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { drawCluster } from '../../lib/terminal/cluster.js'
import { durationFlag, stanzaFlag } from '../../lib/terminal/flags.js'

const DAY_MS = 86_400_000
/** How long what is drawn stands before it is asked anew. */
const WATCH_MS = 5000

export default class ClusterStatusCommand extends BaseCommand<ClusterStatus> {
  static override summary = 'see who is primary, how late the standbys are, and what is wrong'
  static override description =
    'Every recorded host is asked at once by SSH; who is primary is what PostgreSQL says there. Lag is what the ' +
    'primary had written and a standby had not replayed. Exit codes: 0 every host answered and, with --check, ' +
    'nothing is wrong; 8 with --check, something is; 7 a host was out of reach; 1 a host could not be asked for ' +
    'another reason.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --check --max-lag 30s --json',
    '<%= config.bin %> <%= command.id %> --watch',
    '<%= config.bin %> <%= command.id %> --prometheus /var/lib/node_exporter/cleverctl.prom',
  ]

  static override flags = {
    watch: Flags.boolean({
      description: 'ask and draw anew every 5 s in a terminal, until Ctrl-C',
      exclusive: ['check', 'prometheus'],
    }),
    check: Flags.boolean({ description: 'end with 8 when something is wrong' }),
    'max-lag': durationFlag({
      description: 'how late a standby may be [default: 30s]',
      helpValue: '30s|5m',
    }),
    'max-backup-age': durationFlag({
      description: 'how old the last backup may be [default: 24h]',
      helpValue: '6h|24h',
    }),
    'max-drill-age': durationFlag({
      description: 'how long ago a drill may have proven a backup [default: 7d]',
      helpValue: '7d',
    }),
    ...stanzaFlag,
    prometheus: Flags.string({
      description: 'write metrics to this file as well; replaced as a whole if there',
      helpValue: 'FILE',
    }),
  }

  protected async execute(): Promise<ClusterStatus> {
    const { flags } = await this.parse(ClusterStatusCommand)
    const { 'max-lag': maxLagMs = 30_000, 'max-backup-age': maxBackupAgeMs = DAY_MS } = flags
    const { 'max-drill-age': maxDrillAgeMs = 7 * DAY_MS } = flags
    if (flags.watch && (!this.screen.isTerminal || this.jsonEnabled()))
      throw new UsageError('no-terminal', '--watch draws in a terminal and nowhere else', {
        suggestions: ['cleverctl cluster status --json'],
      })
    const workspace = await this.workspace(flags)
    const question = {
      environment: process.env,
      stanza: flags.stanza,
      limits: { maxLagMs, maxBackupAgeMs, maxDrillAgeMs },
      isChecking: flags.check,
      prometheusFile: flags.prometheus,
    }
    return flags.watch
      ? this.#watch(() => clusterStatus(workspace, question))
      : clusterStatus(workspace, question)
  }

  /** Ends by the interruption that aborts its signal. */
  async #watch(ask: () => Promise<ClusterStatus>): Promise<ClusterStatus> {
    for (;;) {
      const status = await ask().catch(incomplete)
      this.screen.clear()
      drawCluster(this.screen, status)
      this.screen.line()
      this.screen.line(`as of ${status.checkedAt}; Ctrl-C ends`)
      await sleep(WATCH_MS, undefined, { signal: this.signal })
    }
  }

  protected render(status: ClusterStatus): void {
    drawCluster(this.screen, status)
  }
}

/** A host that does not answer is what is watched for. */
function incomplete(error: unknown): ClusterStatus {
  if (error instanceof IncompleteError && error.result !== undefined)
    return error.result as ClusterStatus
  throw error
}
