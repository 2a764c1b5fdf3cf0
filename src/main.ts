import { Config, flush, run } from '@oclif/core'
import { fileURLToPath } from 'node:url'
import { describeFailure } from './lib/terminal/failure.js'

/**
 * Runs one command line and sets the process's exit code; never throws.
 * @param argv what follows the program's name
 * @param root the package's folder, where package.json and oclif.manifest.json are
 */
export async function main(argv: string[], root: URL): Promise<void> {
  try {
    // Plugins of the user's data folder stay out: that folder is the home of the database.
    const config = await Config.load({ root: fileURLToPath(root), userPlugins: false, devPlugins: false })
    await run(argv, config)
    flush()
  } catch (error) {
    const failure = describeFailure(error)
    process.exitCode = failure.exitCode
    process.stderr.write(`error: ${failure.message}\n`)
    for (const suggestion of failure.suggestions) process.stderr.write(`hint: ${suggestion}\n`)
  }
}
