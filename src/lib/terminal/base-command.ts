import { Command, Flags } from '@oclif/core'
import type { Secret } from '../secret.js'
import type { SecretDelivery } from '../secret-delivery.js'
import type { Workspace } from '../workspace.js'
import { describeFailure } from './failure.js'
import { Screen } from './screen.js'

/** The flags that every command has, as `this.parse` gives them. */
export interface GlobalFlags {
  profile?: string | undefined
  'database-url'?: string | undefined
  'no-input': boolean
  quiet: boolean
  verbose: boolean
}

/**
 * The one place where the contracts of every command live: result on stdout (one JSON document
 * with --json, `render` otherwise), everything else on stderr, errors to exit codes, questions,
 * secrets in and out.
 *
 * A command parses, makes one call into src/lib and returns what it got:
 * `execute()` gives the JSON document, `render()` draws the same for people.
 */
export abstract class BaseCommand<Result extends object> extends Command {
  static override enableJsonFlag = true
  static override baseFlags = {
    profile: Flags.string({ description: 'profile to use (see config.json)', env: 'CLEVERCTL_PROFILE', helpGroup: 'GLOBAL' }),
    'database-url': Flags.string({ description: 'PostgreSQL to use instead of the embedded one; a password in it is refused', helpGroup: 'GLOBAL' }),
    'no-input': Flags.boolean({ description: 'never ask; fail naming the missing flag', helpGroup: 'GLOBAL' }),
    quiet: Flags.boolean({ description: 'no progress and no notices on stderr', helpGroup: 'GLOBAL' }),
    verbose: Flags.boolean({ description: 'details for hunting a fault on stderr', helpGroup: 'GLOBAL' }),
  }

  protected readonly screen = new Screen()

  /** Parse, one call into src/lib, return. */
  protected abstract execute(): Promise<Result>

  /** Draws the result on stdout through `this.screen`; never called with --json. */
  protected abstract render(result: Result): void

  async run(): Promise<Result> {
    const result = await this.execute()
    if (!this.jsonEnabled()) this.render(result)
    return result
  }

  protected override async catch(error: unknown): Promise<void> {
    const failure = describeFailure(error)
    process.exitCode = failure.exitCode
    if (this.jsonEnabled()) this.logJson({ error: failure })
    else {
      process.stderr.write(`error: ${failure.message}\n`)
      for (const hint of failure.suggestions) process.stderr.write(`hint: ${hint}\n`)
    }
  }

  /** The workspace of a command that only reads. Closed when the command ends. */
  protected async workspace(_flags: GlobalFlags): Promise<Workspace> {
    throw new Error('being written')
  }

  /** The workspace of a command that changes something; says on stderr which profile and database it changes. */
  protected async changingWorkspace(flags: GlobalFlags): Promise<Workspace> {
    return this.workspace(flags)
  }

  /**
   * Asks for a yes before something that cannot be undone. `yes` (the --yes flag) answers it.
   * Throws UsageError naming --yes where no question may be asked; CancelledError on a no.
   */
  protected async confirm(_flags: GlobalFlags & { yes: boolean }, _question: string): Promise<void> {
    throw new Error('being written')
  }

  /**
   * A secret from `file` (refused when group- or world-readable; `-` is stdin read to its end), else from a hidden
   * question; trailing newline removed, empty refused. Throws UsageError naming `flagName` where no question may be asked.
   */
  protected async secretInput(
    _flags: GlobalFlags,
    _input: { file: string | undefined; flagName: string; question: string },
  ): Promise<Secret> {
    throw new Error('being written')
  }

  /** A text answer from a flag's value, else from a question; UsageError naming the flag where none may be asked. */
  protected async textInput(
    _flags: GlobalFlags,
    _input: { value: string | undefined; flagName: string; question: string; suggestion?: string },
  ): Promise<string> {
    throw new Error('being written')
  }

  /**
   * Where a new secret goes: `output` (a file made 0600, never overwritten), else the terminal,
   * else with --reveal into the result; else nowhere, said on stderr.
   */
  protected secretDelivery(_flags: GlobalFlags & { output?: string | undefined; reveal: boolean }): SecretDelivery {
    throw new Error('being written')
  }
}
