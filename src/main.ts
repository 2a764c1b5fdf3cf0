import { Errors, run } from '@oclif/core'
import { fileURLToPath } from 'node:url'
import { describeFailure, writeFailure } from './lib/terminal/failure.js'
import { loadOclifConfig } from './lib/terminal/oclif-config.js'
import { handleProcessFaults } from './lib/terminal/process-faults.js'
import { unknownCommand } from './lib/terminal/unknown-command.js'
import { usageErrorOf } from './lib/terminal/usage.js'

/**
 * Runs one command line and sets the process's exit code; never throws.
 * @param argv what follows the program's name
 * @param root the package's folder, where package.json and oclif.manifest.json are
 */
export async function main(argv: string[], root: URL): Promise<void> {
  const options = { json: wantsJson(argv), verbose: argv.includes('--verbose') }
  handleProcessFaults(options)
  try {
    const config = await loadOclifConfig(argv, fileURLToPath(root))
    const names = config.commandIDs.map((id) => id.replaceAll(':', ' '))
    await run(options.json ? helpAsCommand(argv, names) : argv, config).catch((error: unknown) => {
      if (!(error instanceof Errors.CLIError)) throw error
      // Our commands report their errors themselves. A plugin's do not; otherwise oclif found no command.
      const known = names.find((name) => `${argv.join(' ')} `.startsWith(`${name} `))
      const command =
        known === undefined ? undefined : config.findCommand(known.replaceAll(' ', ':'))
      throw command === undefined
        ? unknownCommand(argv, names)
        : (usageErrorOf(error, command) ?? error)
    })
  } catch (error) {
    const failure = describeFailure(error)
    process.exitCode = failure.exitCode
    await writeFailure(failure, error, options)
  }
}

/** Whether the result is to be JSON, by the same rules as oclif's own. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  const flags = end === -1 ? argv : argv.slice(0, end)
  return flags.includes('--json') || process.env['CLEVERCTL_CONTENT_TYPE']?.toLowerCase() === 'json'
}

/** Help asked for by a flag, or by naming a topic alone, is text; under --json it is the help command's document. */
function helpAsCommand(argv: readonly string[], names: readonly string[]): string[] {
  const words = argv.filter((word) => !word.startsWith('-'))
  const asksHelp = argv.some((word) => word === '--help' || word === '-h')
  const isTopic = names.some((name) => name.startsWith(`${words.join(' ')} `))
  return asksHelp || words.length === 0 || (isTopic && !names.includes(words.join(' ')))
    ? ['help', ...words, '--json']
    : [...argv]
}
