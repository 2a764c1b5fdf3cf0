import { Config, Plugin, settings } from '@oclif/core'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Our own command of this name puts the plugin's work into our own form. */
const COMPLETION = 'autocomplete'

/**
 * What oclif knows of this program: its commands and topics.
 *
 * Our own commands come from oclif.manifest.json alone. The completion plugin is looked up only
 * where it may be meant (help, an unknown word, itself), because that costs time at every start.
 * Plugins of the user's data folder are never loaded: that folder is the home of the database.
 * @param root the package's folder
 */
export async function loadOclifConfig(argv: readonly string[], root: string): Promise<Config> {
  // Whatever NODE_ENV says, what runs is the built program.
  settings.enableAutoTranspile = false
  const pjson: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const own = new Plugin({ root, pjson: pjson as Plugin['pjson'], isRoot: true, type: 'core' })
  await own.load()
  const plugins = new Map([[own.name, own]])
  const isOwn = own.commandIDs.some((id) => id.split(':')[0] === argv[0])
  if (!isOwn || argv[0] === 'help' || argv[0] === COMPLETION) {
    for (const name of own.pjson.oclif.plugins ?? []) {
      const plugin = new Plugin({ root, name, type: 'core' })
      await plugin.load()
      plugin.commands = plugin.commands.filter(({ id }) => id !== COMPLETION)
      plugin.commandIDs = plugin.commandIDs.filter((id) => id !== COMPLETION)
      plugins.set(plugin.name, plugin)
    }
  }
  return Config.load({ root, plugins })
}
