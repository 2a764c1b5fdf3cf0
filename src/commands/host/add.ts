import { Flags } from '@oclif/core'
import { addHost, type AddedHost } from '../../lib/host/add.js'
import { readHostFlags } from '../../lib/host/asked.js'
import { BACKUP_ENGINES, HOST_ROLES, SNAPSHOT_DRIVERS } from '../../lib/host/types.js'
import { hostArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { hostKeyFlags } from '../../lib/terminal/flags.js'
import { hostFacts } from '../../lib/terminal/host.js'

export default class HostAdd extends BaseCommand<AddedHost> {
  static override summary = 'record a machine of the database estate and the key that opens it'
  static override description =
    'The login is seen to work before anything is stored; the private key is sealed by the keyring. The host key ' +
    'is pinned: give its fingerprint, or say in a terminal that the one shown is right. Which database host is ' +
    'primary is never recorded: it is asked of PostgreSQL each time. The same again changes nothing; with ' +
    '--replace other facts take the place of the recorded ones.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> db1 --role database --address db1 --username postgres --identity ~/.ssh/estate --host-key SHA256:jM8t7hYd0cC1s5q1V2sBq0y6c7bHn3S9b6kq2J0mX1E --data-directory /var/lib/postgresql/15/main --stanza main --location hall-1',
    '<%= config.bin %> <%= command.id %> bak1 --role backup --address bak1 --username pgbackrest --identity ~/.ssh/estate --host-key SHA256:jM8t7hYd0cC1s5q1V2sBq0y6c7bHn3S9b6kq2J0mX1E --stanza main --location hall-2',
  ]

  static override args = hostArg

  static override flags = {
    role: Flags.option({ options: HOST_ROLES, required: true })({
      description: 'what the host is for',
    }),
    address: Flags.string({ description: 'host name or IP address', required: true }),
    port: Flags.integer({ description: 'port of SSH', default: 22, min: 1, max: 65_535 }),
    username: Flags.string({
      description: 'who logs in [default: postgres, on a backup machine pgbackrest]',
      helpValue: 'NAME',
    }),
    identity: Flags.string({
      description:
        'private key that opens the host, readable by you alone; a copy is sealed (without it your ssh-agent opens it)',
      helpValue: 'FILE',
    }),
    'passphrase-file': Flags.string({
      description:
        "file with the private key's passphrase; - reads stdin (asked for in a terminal)",
      helpValue: 'FILE|-',
      dependsOn: ['identity'],
    }),
    ...hostKeyFlags,
    location: Flags.string({
      description: 'where the machine stands: copies in one place are lost together',
      helpValue: 'PLACE',
    }),
    stanza: Flags.string({
      description: 'what pgBackRest calls the cluster',
      helpValue: 'NAME',
      default: 'main',
    }),
    'postgresql-port': Flags.integer({
      description: 'port of PostgreSQL on a database host [default: 5432]',
      min: 1,
      max: 65_535,
    }),
    'data-directory': Flags.string({
      description: 'data directory of PostgreSQL on a database host',
      helpValue: 'DIR',
    }),
    'snapshot-driver': Flags.option({ options: SNAPSHOT_DRIVERS })({
      description: 'how a database host makes snapshots of it',
      dependsOn: ['snapshot-directory'],
    }),
    'snapshot-directory': Flags.string({
      description: 'where they are kept; by btrfs and reflink on the same file system',
      helpValue: 'DIR',
      dependsOn: ['snapshot-driver'],
    }),
    'backup-engine': Flags.option({ options: BACKUP_ENGINES })({
      description: 'what makes the backups on a backup machine [default: pgbackrest]',
    }),
    'backup-directory': Flags.string({
      description: 'where pg_basebackup keeps them',
      helpValue: 'DIR',
    }),
    'replication-role': Flags.string({
      description: 'role of the databases by which pg_basebackup copies [default: replicator]',
      helpValue: 'NAME',
    }),
    replace: Flags.boolean({ description: 'replace what is recorded already' }),
  }

  protected async execute(): Promise<AddedHost> {
    const { args, flags } = await this.parse(HostAdd)
    const asked = await readHostFlags(args.name, flags, () =>
      this.secretInput(flags, {
        file: flags['passphrase-file'],
        flagName: 'passphrase-file',
        question: 'Passphrase of the private key',
      }),
    )
    return addHost(await this.changingWorkspace(flags), asked, this.ways(flags))
  }

  protected render(host: AddedHost): void {
    const [name = ['', ''], ...facts] = hostFacts(host)
    const verified = ['login seen to work', host.verified ? 'yes' : 'no'] as const
    this.screen.facts([name, ['outcome', host.outcome], ...facts, verified])
  }
}
