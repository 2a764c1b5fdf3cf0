import { Command, type Interfaces } from '@oclif/core'
import { setTimeout } from 'node:timers/promises'
import { systemClock, systemRandom } from '../clock.js'
import type { Settings } from '../config/settings.js'
import { CancelledError, ExpectedError } from '../errors.js'
import type { Secret } from '../secret.js'
import type { Ways } from '../ssh/pin.js'
import type { Surroundings } from '../surroundings.js'
import type { Log, Workspace } from '../workspace.js'
import { currentActor } from './actor.js'
import { describeFailure, isHalfResult, writeFailure, type Failure } from './failure.js'
import { globalFlags, type GlobalFlags } from './global-flags.js'
import { Interruption } from './interruption.js'
import { stderrLog } from './log.js'
import type { WorkspaceNeeds } from './open-workspace.js'
import { Progress } from './progress.js'
import {
  askChoice,
  askPassphrase,
  askSecret,
  askText,
  askYes,
  askYesInTerminal,
  type Audience,
} from './questions.js'
import { Screen } from './screen.js'
import { SecretDestination, type SecretOutputFlags } from './secret-destination.js'
import { readSecret } from './secret-input.js'
import { oneLine } from './text.js'
import { usageErrorOf } from './usage.js'

/** How long an interrupted command may take to release what it holds. */
const GRACE_MS = 5000
/** How long closing the database may take after an interruption: a statement may still be running. */
const CLOSE_MS = 1000

/**
 * The one place where the contracts of every command live: result on stdout (one JSON document
 * with --json, `render` otherwise), everything else on stderr, errors to exit codes, questions,
 * secrets in and out, interruption.
 *
 * A command parses, makes one call into src/lib and returns what it got:
 * `execute()` gives the JSON document, `render()` draws the same for people.
 * A PartialError, FindingsError or IncompleteError carries the command's own result, which is drawn as well.
 */
export abstract class BaseCommand<Result extends object> extends Command {
  static override enableJsonFlag = true
  static override baseFlags = globalFlags

  protected readonly screen = new Screen()
  /** How long this command may go on after SIGINT or SIGTERM, in milliseconds. */
  protected readonly graceMs: number = GRACE_MS
  /** By how many spaces JSON is indented; none in a command that writes one document a line. */
  protected jsonIndent = 2
  readonly #interruption = new Interruption()
  readonly #progress = new Progress()
  #workspace: Workspace | undefined

  /** Parse, one call into src/lib, return. */
  protected abstract execute(): Promise<Result>

  /** Draws the result on stdout through `this.screen`; never called with --json. */
  protected abstract render(result: Result): void

  /** Aborted by SIGINT and SIGTERM; the workspace's signal is the same. */
  protected get signal(): AbortSignal {
    return this.#interruption.signal
  }

  async run(): Promise<Result> {
    if (!this.jsonEnabled()) await this.screen.prepare()
    const result = await this.#interruption.guard(this.execute(), this.graceMs)
    this.#progress.stop()
    // oclif prints nothing for a falsy result and calls that success.
    if (typeof result !== 'object' || result === null)
      throw new TypeError('a command gives an object')
    if (!this.jsonEnabled()) this.render(result)
    // Whoever stopped the command is told so, even when it came to an end in order.
    if (this.#interruption.reason) process.exitCode = this.#interruption.reason.exitCode
    return result
  }

  /** As oclif's own, but a switch that was not given is false, as its type says; oclif leaves it out. */
  protected override async parse<
    F extends Record<string, unknown>,
    B extends Record<string, unknown>,
    A extends Record<string, unknown>,
  >(
    options?: Interfaces.Input<F, B, A>,
    argv?: string[],
  ): Promise<Interfaces.ParserOutput<F, B, A>> {
    const parsed = await super.parse(options, argv)
    const flags: Record<string, unknown> = parsed.flags
    for (const [name, { type }] of Object.entries({ ...this.ctor.baseFlags, ...this.ctor.flags }))
      if (type === 'boolean') flags[name] ??= false
    return parsed
  }

  /** Which database and keyring this command line means, for the few commands that look after those. */
  protected async settings(flags: GlobalFlags): Promise<Settings> {
    const { resolveSettings } = await import('../config/settings.js')
    const { profile, 'database-url': databaseUrl } = flags
    return resolveSettings({ profile, databaseUrl, environment: process.env })
  }

  /** The outside world before a database is open, for the few commands that set one up or look after it. */
  protected surroundings(flags: GlobalFlags): Surroundings {
    return {
      environment: process.env,
      actor: currentActor(process.env),
      clock: systemClock,
      random: systemRandom,
      log: this.notices(flags),
      signal: this.signal,
      askPassphrase: (about?: { isNew: boolean }) =>
        askPassphrase(this.#audience(flags), about?.isNew ?? false),
    }
  }

  /** The workspace of a command that only reads. Closed when the command ends. */
  protected async workspace(flags: GlobalFlags, needs: WorkspaceNeeds = {}): Promise<Workspace> {
    if (this.#workspace) return this.#workspace
    const { openWorkspace } = await import('./open-workspace.js')
    const settings = await this.settings(flags)
    this.#workspace = await openWorkspace(settings, this.surroundings(flags), needs)
    return this.#workspace
  }

  /** The workspace of a command that changes something; says on stderr which profile and database it changes. */
  protected async changingWorkspace(
    flags: GlobalFlags,
    needs: WorkspaceNeeds = {},
  ): Promise<Workspace> {
    const workspace = await this.workspace(flags, needs)
    const { profile, description } = workspace.database.target
    if (!flags.quiet) process.stderr.write(`${oneLine(`profile ${profile} · ${description}`)}\n`)
    return workspace
  }

  /** The workspace of a command that changes something by some of its flags alone. */
  protected async workspaceFor(flags: GlobalFlags, isChanging: boolean): Promise<Workspace> {
    return isChanging ? this.changingWorkspace(flags) : this.workspace(flags)
  }

  /** The log on stderr, for the few commands that need no workspace. */
  protected notices(flags: GlobalFlags): Log {
    return stderrLog({ quiet: flags.quiet, verbose: flags.verbose }, this.#progress)
  }

  /**
   * Asks for a yes before something that cannot be undone. `yes` (the --yes flag) answers it.
   * Throws UsageError naming --yes where no question may be asked; CancelledError on a no.
   */
  protected async confirm(flags: GlobalFlags & { yes: boolean }, question: string): Promise<void> {
    if (!flags.yes) await askYes(this.#audience(flags), 'yes', question)
  }

  /** What a command brings along to get to hosts by SSH: its environment, and a person to ask about a host key. */
  protected ways(flags: GlobalFlags): Ways {
    return {
      environment: process.env,
      approve: async ({ address, port }, { type, fingerprint }) => {
        const question = `${address} port ${port} shows the host key ${type} ${fingerprint}. Is it the right one?`
        await askYes(this.#audience(flags), 'host-key', question)
      },
    }
  }

  /**
   * Asks a person in a terminal for a yes before much is done at once. A script is taken at its word: nothing
   * that this is asked for is lost by it.
   * @param question gives the words, or undefined when there is nothing worth a question
   * Throws CancelledError on a no.
   */
  protected async confirmInTerminal(
    flags: GlobalFlags & { yes: boolean },
    question: () => Promise<string | undefined>,
  ): Promise<void> {
    if (!flags.yes) await askYesInTerminal(this.#audience(flags), question)
  }

  /**
   * A secret from `file` (refused when open to other users; `-` is stdin read to its end), else from a hidden
   * question; trailing newline removed, empty refused. With `repeat` a person is asked twice.
   * Throws UsageError naming `flagName` where no question may be asked.
   */
  protected async secretInput(
    flags: GlobalFlags,
    input: { file: string | undefined; flagName: string; question: string; repeat?: string },
  ): Promise<Secret> {
    // A person who types after `-` would see the secret on the screen, so they are asked instead.
    const isTyped = input.file === '-' && process.stdin.isTTY === true
    if (input.file !== undefined && !isTyped) return readSecret(input.file, input.flagName)
    return askSecret(this.#audience(flags), input)
  }

  /** A text answer from a flag's value, else from a question; UsageError naming the flag where none may be asked. */
  protected async textInput(
    flags: GlobalFlags,
    input: { value: string | undefined; flagName: string; question: string; suggestion?: string },
  ): Promise<string> {
    return input.value ?? askText(this.#audience(flags), input)
  }

  /** A text answer from a question, with the suggestion for an answer where none may be asked. */
  protected async choiceInput(
    flags: GlobalFlags,
    input: { question: string; suggestion: string },
  ): Promise<string> {
    return askChoice(this.#audience(flags), input)
  }

  /** Where the new secret of this command may go; see {@link SecretDestination}. */
  protected secretDestination(flags: GlobalFlags & SecretOutputFlags): SecretDestination {
    const { screen } = this
    return new SecretDestination(flags, {
      screen,
      log: this.notices(flags),
      isJson: this.jsonEnabled(),
    })
  }

  protected override async catch(error: unknown): Promise<void> {
    this.#progress.stop()
    const cause = usageErrorOf(error, this.ctor) ?? error
    const failure = this.#describe(cause)
    process.exitCode = failure.exitCode
    if (isHalfResult(cause) && !this.jsonEnabled()) this.render(cause.result as Result)
    const [json, verbose] = [this.jsonEnabled(), this.argv.includes('--verbose')]
    await writeFailure(failure, cause, { json, indent: this.jsonIndent, verbose })
  }

  protected override async finally(error: Error | undefined): Promise<void> {
    this.#progress.stop()
    const closed = this.#workspace?.database.close().catch(() => undefined)
    if (error !== undefined && this.#interruption.reason) {
      await Promise.race([closed, setTimeout(CLOSE_MS)])
      process.exit()
    }
    await closed
    this.#interruption.dispose()
  }

  /** One document, never coloured: a program reads it. */
  override logJson(document: unknown): void {
    process.stdout.write(`${JSON.stringify(document, null, this.jsonIndent)}\n`)
  }

  /** What an interrupted command throws on its way out is a consequence; what it had learned is kept. */
  #describe(error: unknown): Failure {
    const { result, ...failure } = describeFailure(this.#interruption.reason ?? error)
    const learned = error instanceof ExpectedError ? error.result : result
    const told = error instanceof CancelledError ? error.suggestions : failure.suggestions
    return { ...failure, suggestions: told, ...(learned !== undefined && { result: learned }) }
  }

  #audience(flags: GlobalFlags): Audience {
    return { noInput: flags['no-input'], signal: this.signal }
  }
}
