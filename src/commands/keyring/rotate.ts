import { Flags } from '@oclif/core'
import { type KeyringRotation, rotateKeyring } from '../../lib/keyring/rotate.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class KeyringRotate extends BaseCommand<KeyringRotation> {
  static override summary = 'seal everything that is stored with a new key'
  static override description =
    'Adds a key to the key file, seals every stored value anew and removes the old key from the file ' +
    'when nothing is sealed by it. Interrupted at any point, it goes on when given again. Machines ' +
    'with a copy of the file need the new one: add the key with --prepare, copy the file to them, ' +
    'then rotate, and they work all the while. Backups made before the rotation are opened by the ' +
    'file as it was: keep a copy of it for as long as you keep them.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --prepare',
  ]

  static override flags = {
    prepare: Flags.boolean({
      description: 'only add the new key to the file; the next rotation uses it',
    }),
  }

  protected async execute(): Promise<KeyringRotation> {
    const { flags } = await this.parse(KeyringRotate)
    const surroundings = this.surroundings(flags)
    return rotateKeyring(await this.changingWorkspace(flags), {
      settings: await this.settings(flags),
      askPassphrase: (about) => surroundings.askPassphrase(about),
      prepareOnly: flags.prepare,
    })
  }

  protected render(rotation: KeyringRotation): void {
    const { outcome, keyId, retired, resealed, unopened, file } = rotation
    this.screen.facts([
      ['outcome', outcome],
      ['key', keyId],
      ['retired', retired.join(' ') || '-'],
      ['sealed anew', String(resealed)],
      ...unopened.map((identity) => ['not opened', identity] as const),
      ['file', file],
    ])
  }
}
