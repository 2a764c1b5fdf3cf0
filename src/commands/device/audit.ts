import { Flags } from '@oclif/core'
import { auditDevices } from '../../lib/device/audit/audit.js'
import { AUDIT_KINDS, type DeviceAudit } from '../../lib/device/audit/types.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { drawAudit } from '../../lib/terminal/device-audit.js'
import { durationFlag } from '../../lib/terminal/flags.js'
import { sarifFile, sarifFlag } from '../../lib/terminal/sarif.js'

export default class DeviceAuditCommand extends BaseCommand<DeviceAudit> {
  static override summary = 'find the devices and keys about which the lists disagree'
  static override description =
    'Holds the registry, the placements, the keys and what gates saw against each other, and changes ' +
    'nothing. Kinds: ghost (sends, never manufactured), squatter (shows the key of another installation), ' +
    'zombie (removed or revoked, still sending), twin (one identity at two places), early (data from before ' +
    'its placement), clock-liar (wrong clock), mute (installed, silent), stale-key, stale-secret, ' +
    'shelf-warmer (manufactured, never installed). With --installation or --batch only kinds that can be ' +
    'narrowed down by it. Exit codes: 0 nothing was found; 8 findings; 7 none, but the database was out of ' +
    'reach; 1 none, but something could not be checked for another reason.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --installation solar-0042 --json',
    '<%= config.bin %> <%= command.id %> --kind ghost --kind twin --since 7d --sarif audit.sarif',
  ]

  static override flags = {
    kind: Flags.option({ options: AUDIT_KINDS, multiple: true })({
      description: 'only this kind; may be given several times',
    }),
    installation: Flags.string({
      description: 'only what concerns this installation',
      helpValue: 'CODE',
    }),
    batch: Flags.string({ description: 'only devices of this production lot' }),
    since: durationFlag({
      description: 'how far back refusals and changes of address are looked at [default: 24h]',
    }),
    'shelf-age': durationFlag({
      description: 'a device that was never installed may be so old [default: 180d]',
    }),
    'silent-for': durationFlag({
      description: 'an installed device may be silent for so long [default: 24h]',
    }),
    'key-age': durationFlag({ description: 'an API key may be so old [default: 365d]' }),
    'secret-age': durationFlag({
      description: "a device's secret may be so old [default: 1825d]",
    }),
    skew: durationFlag({ description: "a device's clock may be so far off [default: 5m]" }),
    limit: Flags.integer({
      description: 'findings of each kind at most; they are counted all the same',
      default: 1000,
      min: 1,
      max: 100_000,
    }),
    ...sarifFlag,
  }

  protected async execute(): Promise<DeviceAudit> {
    const { flags } = await this.parse(DeviceAuditCommand)
    const { kind: kinds, installation, batch, limit } = flags
    return auditDevices(await this.workspace(flags), {
      kinds,
      installation,
      batch,
      limit,
      ages: {
        sinceMs: flags.since,
        shelfAgeMs: flags['shelf-age'],
        silentForMs: flags['silent-for'],
        keyAgeMs: flags['key-age'],
        secretAgeMs: flags['secret-age'],
        skewMs: flags.skew,
      },
      sarif: sarifFile(flags.sarif, this.config.version),
    })
  }

  protected render(audit: DeviceAudit): void {
    drawAudit(this.screen, audit)
  }
}
