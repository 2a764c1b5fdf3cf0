import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A flag of a command, as far as tests look at it. */
export interface ManifestFlag {
  name: string
  type: 'boolean' | 'option'
  options?: string[]
  multiple?: boolean
  /** Flags that may not stand beside it. */
  exclusive?: string[]
  /** One of these must be given, it being one of them. */
  exactlyOne?: string[]
  dependsOn?: string[]
  helpGroup?: string
}

/** A command of the built program. */
export interface ManifestCommand {
  /** With colons, as in the manifest. */
  id: string
  args: Record<string, { name: string; required?: boolean }>
  flags: Record<string, ManifestFlag>
  /** False where more arguments may follow. */
  strict?: boolean
}

const MANIFEST = fileURLToPath(new URL('../../oclif.manifest.json', import.meta.url))

/** Every command of the built program, so that a test over all of them forgets none. */
export function manifestCommands(): ManifestCommand[] {
  const { commands } = JSON.parse(readFileSync(MANIFEST, 'utf8')) as {
    commands: Record<string, ManifestCommand>
  }
  return Object.values(commands)
}

/** A command's own flags, without those that every command has. */
export function ownFlags({ flags }: ManifestCommand): ManifestFlag[] {
  return Object.values(flags).filter(({ helpGroup }) => helpGroup !== 'GLOBAL')
}
