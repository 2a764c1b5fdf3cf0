import { Flags } from '@oclif/core'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { durationFlag, pageFlags } from '../../lib/terminal/flags.js'
import { listTrail, type TrailPage } from '../../lib/trail/list.js'

export default class TrailList extends BaseCommand<TrailPage> {
  static override summary = 'show what was done with this tool, newest first'
  static override description =
    'Every change is a row of the trail, written by the transaction of the change itself. ' +
    'A further page begins with --cursor and the number of the last row shown.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --since 24h',
    '<%= config.bin %> <%= command.id %> --action device.revoke --subject CDX-000123',
    '<%= config.bin %> <%= command.id %> --action api-key --actor engineer --limit 20',
  ]

  static override flags = {
    since: durationFlag({ description: 'only what was done no longer ago than this' }),
    action: Flags.string({
      description: 'only this action, or every action on this noun',
      helpValue: 'NOUN[.VERB]',
    }),
    subject: Flags.string({
      description: 'only what was done to this device, installation, installer, …',
      helpValue: 'NAME',
    }),
    actor: Flags.string({
      description: 'only what this system user, database role or CI job did',
      helpValue: 'NAME',
    }),
    ...pageFlags,
  }

  protected async execute(): Promise<TrailPage> {
    const { flags } = await this.parse(TrailList)
    const { since: sinceMs, action, subject, actor, limit, cursor } = flags
    const asked = { sinceMs, action, subject, actor, limit, cursor }
    return listTrail(await this.workspace(flags), asked)
  }

  protected render({ steps }: TrailPage): void {
    this.screen.table(steps, [
      { title: 'SEQ', text: ({ seq }) => String(seq), align: 'right' },
      { title: 'TIME', text: ({ at }) => this.screen.time(at), value: ({ at }) => at },
      {
        title: 'ACTOR',
        text: ({ osUser, host }) => `${osUser}@${host}`,
      },
      { title: 'ROLE', text: ({ databaseRole }) => databaseRole, isMinor: true },
      { title: 'CI JOB', text: ({ ciJob }) => ciJob ?? '-', isMinor: true },
      { title: 'PHASE', text: ({ phase }) => phase, isMinor: true },
      { title: 'ACTION', text: ({ action }) => action },
      { title: 'SUBJECT', text: ({ subject }) => subject },
      { title: 'DETAILS', text: ({ details }) => JSON.stringify(details), isMinor: true },
    ])
  }
}
