import { run } from '@oclif/core'
import { fileURLToPath } from 'node:url'
import { describeFailure, writeFailure } from './lib/terminal/failure.js'
import { loadOclifConfig } from './lib/terminal/oclif-config.js'
import { handleProcessFaults } from './lib/terminal/process-faults.js'
import { unknownCommand } from './lib/terminal/unknown-command.js'
import { isOclifError, usageErrorOf } from './lib/terminal/usage.js'

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
    await run(wordsForOclif(argv, names, options.json), config).catch((error: unknown) => {
      if (!isOclifError(error)) throw error
      // Our commands report their errors themselves. A plugin's do not; otherwise oclif found no command.
      const known = knownCommand(argv, names)
      const command = config.findCommand(known.join(':'))
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

/**
 * The command line as oclif is to see it. A flag that asks for help about a command makes the rest
 * of it meaningless. Under --json, help that was asked for by a flag, or by naming a topic alone, is
 * the help command's document.
 */
function wordsForOclif(argv: string[], names: readonly string[], isJson: boolean): string[] {
  const words = argv.filter((word) => !word.startsWith('-'))
  const known = knownCommand(argv, names)
  const asksHelp = argv.some((word) => word === '--help' || word === '-h')
  const isTopic = known.length === 0 && names.some((name) => name.startsWith(`${words.join(' ')} `))
  if (isJson && (asksHelp || isTopic || words.length === 0))
    return ['help', ...(known.length > 0 ? known : words), '--json']
  return asksHelp && known.length > 0 ? [...known, '--help'] : argv
}

/** The words that name a command at the beginning of the command line; none where it names none. */
function knownCommand(argv: readonly string[], names: readonly string[]): string[] {
  const line = `${argv.join(' ')} `
  const [longest] = names
    .filter((name) => line.startsWith(`${name} `))
    .sort((a, b) => b.length - a.length)
  return longest?.split(' ') ?? []
}
