import { Flags } from '@oclif/core'
import { addRepository, type AddedRepository } from '../../../lib/backup/repository/add.js'
import {
  ACCESS_QUESTIONS,
  readAccess,
  readAuthority,
  readRepositoryFlags,
} from '../../../lib/backup/repository/asked.js'
import { REPOSITORY_KINDS } from '../../../lib/backup/repository/types.js'
import { administratorFlags, readAdministrator } from '../../../lib/terminal/administrator.js'
import { BaseCommand } from '../../../lib/terminal/base-command.js'
import { stanzaFlag } from '../../../lib/terminal/flags.js'
import { drawMachines, placeOf, repositoryNumber } from '../../../lib/terminal/repository.js'

export default class BackupRepoAdd extends BaseCommand<AddedRepository> {
  static override summary = 'add a repository to pgBackRest on every machine'
  static override description =
    'Writes the configuration as root on the backup machine and on each database host, creates the stanza in the repository ' +
    'and has pgBackRest check that WAL arrives in it; what fails is put back. The backup machine alone gets what opens the ' +
    'place; the bucket, container or directory is yours to make. The repository is encrypted by a passphrase that is made ' +
    'here and kept by the keyring (`backup repo reveal`), and the certificate of a cloud is always verified. Given again it ' +
    'finishes what was interrupted, and replaces secret and authority. Exit codes: 0 it works; 3 a database host could not ' +
    'be told; 1 pgBackRest does not come to it; 4 root was not let in; 6 the number is taken.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> 2 --type s3 --bucket solar-backup --endpoint s3.eu-central-1.amazonaws.com --region eu-central-1 --secret-file s3.key --identity ~/.ssh/admin',
    '<%= config.bin %> <%= command.id %> 3 --type azure --account solarbackup --container main --identity ~/.ssh/admin',
    '<%= config.bin %> <%= command.id %> 4 --type posix --path /mnt/vault/pgbackrest --identity ~/.ssh/admin --json',
  ]

  static override args = {
    number: repositoryNumber({ description: 'its number, as in repo2-path', required: true }),
  }

  static override flags = {
    type: Flags.option({ options: REPOSITORY_KINDS, required: true })({
      description: 'where it lies: a directory of the backup machine, or a cloud',
    }),
    path: Flags.string({
      description: 'the directory; in a cloud the place in the bucket [default: /pgbackrest]',
      helpValue: 'PATH',
    }),
    bucket: Flags.string({ description: 'bucket of S3 or GCS', helpValue: 'NAME' }),
    account: Flags.string({ description: 'storage account of Azure', helpValue: 'NAME' }),
    container: Flags.string({ description: 'container of Azure', helpValue: 'NAME' }),
    endpoint: Flags.string({
      description: 'where the cloud answers [default: that of Azure or GCS]',
      helpValue: 'HOST',
    }),
    region: Flags.string({ description: 'region of S3', helpValue: 'NAME' }),
    port: Flags.string({ description: 'port of the endpoint [default: 443]', helpValue: 'NUMBER' }),
    'uri-style': Flags.option({ options: ['host', 'path'] as const })({
      description: 'where requests name bucket or account [default: host]',
    }),
    'ca-file': Flags.string({
      description: "certificates of the endpoint's authority, where the system does not know it",
      helpValue: 'FILE',
    }),
    'secret-file': Flags.string({
      description:
        'what opens the place: ID:SECRET of S3, key or shared access signature of Azure, JSON of a service account of GCS; - reads stdin (asked for in a terminal)',
      helpValue: 'FILE|-',
    }),
    'cipher-file': Flags.string({
      description: 'passphrase of backups that are in it already; - reads stdin',
      helpValue: 'FILE|-',
    }),
    ...administratorFlags(),
    ...stanzaFlag,
  }

  protected async execute(): Promise<AddedRepository> {
    const { args, flags } = await this.parse(BackupRepoAdd)
    const { type, stanza, 'ca-file': authorityFile, 'cipher-file': cipherFile } = flags
    const facts = readRepositoryFlags(args.number, type, flags)
    const authority = authorityFile === undefined ? undefined : await readAuthority(authorityFile)
    const input = { file: flags['secret-file'], flagName: 'secret-file' }
    const question = ACCESS_QUESTIONS[type]
    const secret = question && (await this.secretInput(flags, { ...input, question }))
    const access = readAccess(type, secret || undefined)
    const passphrase =
      cipherFile === undefined
        ? undefined
        : await this.secretInput(flags, {
            ...{ file: cipherFile, flagName: 'cipher-file', question: 'Passphrase of the backups' },
          })
    const administrator = await readAdministrator(flags, (asked) => this.secretInput(flags, asked))
    const changer = { administrator, environment: process.env }
    const asked = { stanza, facts, access, authority, passphrase, changer }
    return addRepository(await this.changingWorkspace(flags), asked)
  }

  protected render(added: AddedRepository): void {
    this.screen.facts([
      ['repository', String(added.number)],
      ['place', placeOf(added)],
      ['outcome', added.outcome],
    ])
    drawMachines(this.screen, added.machines)
  }
}
