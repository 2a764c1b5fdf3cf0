import { type KeyringReport, keyringStatus } from '../../lib/keyring/status.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { inWords } from '../../lib/terminal/text.js'

export default class KeyringStatus extends BaseCommand<KeyringReport> {
  static override summary = 'show which keys seal what is stored, and where they are kept'
  static override description =
    'Compares the key file with the database and counts the rows that each key seals. A passphrase ' +
    'is not asked for. Exit code 0: the file has every key that is needed. Exit code 8: it has not.'

  static override examples = ['<%= config.bin %> <%= command.id %>']

  protected async execute(): Promise<KeyringReport> {
    const { flags } = await this.parse(KeyringStatus)
    return keyringStatus(await this.workspace(flags), await this.settings(flags))
  }

  protected render({ provider, file, isSetUp, keys, problems }: KeyringReport): void {
    this.screen.facts([
      ['provider', provider],
      ['file', file],
      ['set up', isSetUp ? 'yes' : 'no: the first use makes the file'],
      ...problems.map((problem) => ['problem', problem] as const),
    ])
    if (keys.length === 0) return
    this.screen.table(keys, [
      { title: 'KEY', text: ({ id }) => id },
      { title: 'STATE', text: ({ state }) => state },
      {
        title: 'IN FILE',
        text: ({ inFile }) => (inFile ? 'yes' : 'no'),
        mark: ({ inFile, state }) => (inFile || state === 'retired' ? undefined : 'failure'),
      },
      { title: 'CREATED', text: ({ createdAt }) => this.screen.time(createdAt) },
      {
        title: 'SEALED ROWS',
        text: ({ sealedRows }) =>
          Object.entries(sealedRows)
            .map(([kind, rows]) => `${inWords(kind)}s ${rows}`)
            .join(', '),
      },
    ])
  }
}
