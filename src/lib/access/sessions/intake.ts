import { UsageError } from '../../errors.js'
import { selectAccounts } from '../../staff/store.js'
import type { Workspace } from '../../workspace.js'
import { selectDecoyRoles } from '../canary/store.js'
import { selectGrantsOfList } from '../grant/store.js'
import { SessionJudge, type History, type Measure } from './judge.js'
import { SessionRecorder } from './ledger/recorder.js'
import { selectKnownRoles, selectLatest } from './ledger/store.js'
import { readPrefix } from './prefix.js'
import { Readings } from './reading/readings.js'
import type { KnownServer } from './reading/server-reading.js'
import { selectReadings } from './reading/store.js'
import type { SeenSession, SessionTaker, ShownSession } from './types.js'

/** What sessions are held against, and whether they are recorded. */
export interface IntakeAsked extends Pick<Measure, 'hours' | 'superusers'> {
  prefix: string | undefined
  isRecording: boolean
  isAnew: boolean
}

/** What an intake is for. */
export interface IntakeFor {
  servers: readonly string[]
  since: Date
  /** Whether the logs are read on later. */
  goesOn: boolean
  /** @param isAgain whether this intake has shown it before, and it stands out in a further way since */
  show: (session: ShownSession, isAgain: boolean) => void
  /** Waits until whoever reads them has taken the sessions that were shown. */
  flush?: () => Promise<void>
}

/** So many recorded sessions are looked at again for storms and for two places at a time. */
const LATEST = 2000

/** Takes sessions as they are read: says who it was, shows them, and records them in batches. */
export class SessionIntake implements SessionTaker {
  readonly readings: Readings
  readonly #judge: SessionJudge
  readonly #show: IntakeFor['show']
  readonly #flush: IntakeFor['flush']
  readonly #recorder: SessionRecorder | undefined
  /** Sessions of former recordings, which this one has not shown. */
  readonly #former: Set<ShownSession>

  private constructor(
    workspace: Workspace,
    asked: IntakeAsked,
    about: IntakeFor,
    told: { measure: Measure; history: History; known: ReadonlyMap<string, KnownServer> },
  ) {
    const { isRecording, isAnew } = asked
    const { since, goesOn } = about
    this.#show = about.show
    this.#flush = about.flush
    this.#former = new Set(isRecording ? told.history.latest : [])
    this.#judge = new SessionJudge(told.measure, (session) => {
      this.#recorder?.retake(session)
      this.#show(session, !this.#former.delete(session))
    })
    this.#judge.learn(told.history)
    const mode = { isKept: isRecording, goesOn, isAnew, since }
    this.readings = new Readings(this, mode, told.known)
    this.#recorder = isRecording ? new SessionRecorder(workspace, this.readings) : undefined
  }

  /**
   * Asks the database for what sessions are held against, and for where reading stands.
   * @throws UsageError for a bad prefix or time zone
   */
  static async open(
    workspace: Workspace,
    asked: IntakeAsked,
    about: IntakeFor,
  ): Promise<SessionIntake> {
    const { database } = workspace
    const { prefix, hours, superusers } = asked
    if (prefix !== undefined) readPrefix(prefix)
    if (hours !== undefined) requireTimezone(hours.timezone)
    const measure = {
      accounts: await selectAccounts(database),
      grants: await selectGrantsOfList(database),
      hours,
      superusers,
      decoys: new Set(await selectDecoyRoles(database)),
    }
    const latest = await selectLatest(database, LATEST)
    const history = { latest, ...(await selectKnownRoles(database)) }
    const known = asked.isRecording
      ? await selectReadings(database, about.servers, about.since)
      : new Map<string, KnownServer>()
    return new SessionIntake(workspace, asked, about, { measure, history, known })
  }

  /** Roles that are superuser; whoever learns of more adds them. */
  get superusers(): Set<string> {
    return this.#judge.superusers
  }

  /** How many rows the ledger was given. */
  get recorded(): number {
    return this.#recorder?.added ?? 0
  }

  give(seen: SeenSession, log: string): void {
    const session = this.#judge.judge(seen)
    this.#recorder?.take(session, log)
    this.#show(session, false)
  }

  async settle(): Promise<void> {
    await this.#flush?.()
    if (this.#recorder?.isFull === true) await this.#recorder.write()
  }

  /** Records what has come, where anything is recorded. */
  async write(): Promise<void> {
    await this.#flush?.()
    await this.#recorder?.write()
  }

  /** The same, and into the trail where the ledger ends now. */
  async finish(): Promise<void> {
    await this.#flush?.()
    await this.#recorder?.finish()
  }
}

function requireTimezone(timezone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone })
  } catch {
    throw new UsageError(
      'bad-timezone',
      `${JSON.stringify(timezone)} is no time zone such as Europe/Madrid`,
    )
  }
}
