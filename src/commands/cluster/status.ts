import { Flags } from '@oclif/core'
import { clusterStatus } from '../../lib/cluster/status.js'
import type { ClusterStatus } from '../../lib/cluster/types.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { drawCluster } from '../../lib/terminal/cluster.js'
import { durationFlag, stanzaFlag } from '../../lib/terminal/flags.js'

const DAY_MS = 86_400_000

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
    '<%= config.bin %> <%= command.id %> --prometheus /var/lib/node_exporter/cleverctl.prom',
  ]

  static override flags = {
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
    return clusterStatus(await this.workspace(flags), {
      environment: process.env,
      stanza: flags.stanza,
      limits: { maxLagMs, maxBackupAgeMs, maxDrillAgeMs },
      isChecking: flags.check,
      prometheusFile: flags.prometheus,
    })
  }

  protected render(status: ClusterStatus): void {
    drawCluster(this.screen, status)
  }
}
