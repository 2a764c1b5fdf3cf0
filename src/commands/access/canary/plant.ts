import { Flags } from '@oclif/core'
import { plantCanaries, type PlantedCanary } from '../../../lib/access/canary/plant.js'
import { BaseCommand } from '../../../lib/terminal/base-command.js'

export default class AccessCanaryPlant extends BaseCommand<{ canaries: PlantedCanary[] }> {
  static override summary = 'plant a decoy role or table on a database server: any use is a finding'
  static override description =
    'The role can never log in; whoever tries stands in the log, and access sessions flags it. The table holds ' +
    'credentials that open nothing; access audit finds it as soon as it was read, by the counters that PostgreSQL ' +
    'keeps on each server. With both, the table names the role. Take names that look worth a try. The same command ' +
    'again changes nothing. Only the owner of the cleverctl database may plant, through a superuser of the server.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --role backup_admin --table api_credentials --database fleet',
    '<%= config.bin %> <%= command.id %> --table vault.passwords --database billing --dsn postgres://postgres@db1.example.com/postgres',
    '<%= config.bin %> <%= command.id %> --role backup_admin --host db1',
  ]

  static override flags = {
    role: Flags.string({ description: 'name of a role', helpValue: 'NAME' }),
    table: Flags.string({
      description: 'name of a table, with its schema unless that is public',
      helpValue: 'NAME',
      dependsOn: ['database'],
    }),
    database: Flags.string({
      description: 'the database for the table',
      helpValue: 'NAME',
      dependsOn: ['table'],
    }),
    dsn: Flags.string({
      description:
        'the primary, as a superuser (without it: the server of the cleverctl database). A password in it is ' +
        'refused (PGPASSFILE), certificates are verified unless sslmode says otherwise',
      helpValue: 'URL',
    }),
    host: Flags.string({
      description: 'the primary, a recorded database host, reached over SSH',
      helpValue: 'NAME',
      exclusive: ['dsn'],
    }),
  }

  protected async execute(): Promise<{ canaries: PlantedCanary[] }> {
    const { flags } = await this.parse(AccessCanaryPlant)
    const { role, table, database, dsn, host } = flags
    const servers = {
      dsns: dsn === undefined ? [] : [dsn],
      hosts: host === undefined ? [] : [host],
      isAllHosts: false,
    }
    const workspace = await this.changingWorkspace(flags)
    return plantCanaries(workspace, { role, table, database, servers }, process.env)
  }

  protected render({ canaries }: { canaries: PlantedCanary[] }): void {
    for (const { id, kind, name, outcome } of canaries)
      this.screen.line(`canary ${id}, ${kind} ${name}: ${outcome}`)
  }
}
