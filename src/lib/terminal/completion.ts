import type { Config } from '@oclif/core'
import { join } from 'node:path'
import { UsageError } from '../errors.js'

/** Shells whose completion can be set up. */
export const COMPLETION_SHELLS = ['bash', 'zsh', 'powershell'] as const
type Shell = (typeof COMPLETION_SHELLS)[number]

/** What completes a command line, and how a shell comes to load it. */
export interface Completion {
  shell: string
  /** Made just now from the commands of this version. */
  setupFile: string
  /** The command that makes the shell load it at every start. */
  command: string
}

/**
 * Makes the files that complete command lines, in the user's cache folder.
 * @param shell undefined: the shell that the environment names
 * Throws UsageError where that is none of {@link COMPLETION_SHELLS}.
 */
export async function prepareCompletion(
  config: Config,
  shell: string | undefined,
): Promise<Completion> {
  const meant = shell ?? config.shell.replace(/^.*\\|\.exe$/g, '')
  if (!isShell(meant))
    throw new UsageError('unknown-shell', 'which shell this is meant for is not known', {
      suggestions: COMPLETION_SHELLS.map((name) => `cleverctl autocomplete ${name}`),
    })
  await config.runCommand('autocomplete:create')
  const folder = join(config.cacheDir, 'autocomplete')
  return {
    shell: meant,
    setupFile:
      meant === 'powershell'
        ? join(folder, 'functions', meant, `${config.bin}.ps1`)
        : join(folder, `${meant}_setup`),
    command: setUpCommand(meant),
  }
}

function isShell(text: string): text is Shell {
  return COMPLETION_SHELLS.some((name) => name === text)
}

function setUpCommand(shell: Shell): string {
  if (shell === 'powershell')
    return 'Add-Content -Path $PROFILE -Value (cleverctl autocomplete script powershell)'
  return `cleverctl autocomplete script ${shell} >> ~/.${shell}rc`
}
