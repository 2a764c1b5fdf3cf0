import { EventEmitter } from 'node:events'
import type { Runner, WorkerEvents } from 'graphile-worker'
import { loadQueueLibrary, QUEUE_SCHEMA, requireJobQueue } from '../database/job-queue.js'
import type { Workspace } from '../workspace.js'
import { advanceCampaign } from './advance.js'
import { claimReady, readinessOf } from './claim.js'
import type { Operation, Operations } from './operation.js'
import { performTarget, type Performed } from './perform.js'
import { withPresence, type Presence } from './presence.js'
import {
  countQueued,
  forgetJob,
  insertJobs,
  lockDue,
  TASK,
  unlockLost,
  updateReady,
  workerLock,
  type Job,
} from './queue-store.js'
import { selectCampaign, selectDetached } from './store.js'
import type { Campaign } from './types.js'

/** What one process did for campaigns. */
export interface WorkReport {
  concurrency: number
  done: number
  unchanged: number
  failed: number
}

/** How often a worker looks whether waves, windows and lost workers leave something to give out. */
const LOOK_EVERY_MS = 1000
/** So many targets of a campaign lie in the queue at a time: enough for many workers, few to take back. */
const MOST_QUEUED = 1000
/** So many targets are looked at in one transaction. */
const PAGE = 500

/**
 * Works on all campaigns that are left to workers, beside any number of other processes that do the same: the job
 * queue shares their targets out. Ends when the workspace's signal is aborted; begun targets are finished.
 * @param asked.untilIdle ends when no such campaign runs any more
 * Throws ConflictError where the job queue is missing, UnreachableError when the database is lost.
 */
export async function workOnCampaigns(
  workspace: Workspace,
  operations: Operations,
  asked: { concurrency: number; untilIdle: boolean },
): Promise<WorkReport> {
  // Whoever may not read campaigns is told so, before it is asked for more.
  await selectDetached(workspace.database)
  await requireJobQueue(workspace.database, workspace.actor)
  return withPresence(workspace, 'workers', async (presence) =>
    new Workers(workspace, operations, presence, asked).work(),
  )
}

class Workers {
  readonly #workspace: Workspace
  readonly #operations: Operations
  readonly #presence: Presence
  readonly #asked: { concurrency: number; untilIdle: boolean }
  readonly #report: WorkReport
  readonly #prepared = new Map<string, Promise<void>>()
  readonly #trouble = new AbortController()
  #look = new AbortController()
  /** Whether a target was finished since the last look: when the queue is empty then, the wave may be over. */
  #hasNews = false

  constructor(
    workspace: Workspace,
    operations: Operations,
    presence: Presence,
    asked: { concurrency: number; untilIdle: boolean },
  ) {
    this.#workspace = workspace
    this.#operations = operations
    this.#presence = presence
    this.#asked = asked
    this.#report = { concurrency: asked.concurrency, done: 0, unchanged: 0, failed: 0 }
  }

  async work(): Promise<WorkReport> {
    const { signal } = this.#workspace
    const { lost } = this.#presence
    const queue = await this.#start()
    try {
      while (!signal.aborted) {
        lost.throwIfAborted()
        this.#trouble.signal.throwIfAborted()
        this.#look = new AbortController()
        this.#hasNews = false
        const left = await this.#giveOut()
        if (left === 0 && this.#asked.untilIdle) break
        await this.#presence.rest(
          LOOK_EVERY_MS,
          AbortSignal.any([signal, this.#trouble.signal, this.#look.signal]),
        )
      }
    } finally {
      await queue.stop().catch(() => undefined)
    }
    this.#trouble.signal.throwIfAborted()
    return this.#report
  }

  /** Lets the queue's workers run in this process. */
  async #start(): Promise<Runner> {
    const { run, Logger } = await loadQueueLibrary()
    const events: WorkerEvents = new EventEmitter()
    events.on('worker:create', ({ worker }) => {
      this.#presence.hold(workerLock(worker.workerId)).catch((error: unknown) => this.#end(error))
    })
    events.on('worker:getJob:error', ({ error }) => this.#end(error))
    events.on('worker:getJob:empty', () => {
      if (this.#hasNews) this.#look.abort()
    })
    events.on('worker:fatalError', ({ error }) => this.#end(error))
    const queue = await run({
      pgPool: await this.#workspace.database.pool(),
      schema: QUEUE_SCHEMA,
      concurrency: this.#asked.concurrency,
      taskList: { [TASK]: async (payload) => this.#perform(payload as Job) },
      parsedCronItems: [],
      noHandleSignals: true,
      // What goes wrong is told by the events; its own words may hold values of rows.
      logger: new Logger(() => () => undefined),
      events,
    })
    queue.promise.catch((error: unknown) => this.#end(error))
    return queue
  }

  #end(error: unknown): void {
    this.#trouble.abort(error)
  }

  /**
   * One job: the target is claimed and carried out, unless it is in other hands or the campaign does not run. One that
   * still waits then is given out anew when its time has come.
   */
  async #perform(job: Job): Promise<void> {
    const { database, signal, log } = this.#workspace
    const { runner } = this.#presence
    const campaign = await selectCampaign(database, job.campaign)
    const operation = campaign && this.#operations[campaign.operation]
    const mayStart = campaign?.state === 'running' && !signal.aborted
    if (!mayStart || operation === undefined) return forgetJob(database, job)
    await this.#prepare(operation, campaign)
    const given = { runner, free: 1, isDetached: true, position: job.position }
    const [claim] = await claimReady(this.#workspace, campaign, given)
    if (claim === undefined) return forgetJob(database, job)
    const { state } = await this.#carryOut({ campaign, operation, runner, claim })
    // The next wave, a stop rule or another attempt may be due.
    this.#hasNews = true
    if (state === 'failed' || state === 'waiting') this.#look.abort()
    if (state === 'waiting') return
    this.#report[state] += 1
    const { done, unchanged, failed } = this.#report
    log.progress({ done: done + unchanged + failed, total: undefined, unit: 'targets' })
  }

  /** What is thrown stands against this whole process: when it ends, the others take its targets back. */
  async #carryOut(given: Parameters<typeof performTarget>[1]): Promise<Performed> {
    try {
      return await performTarget(this.#workspace, given)
    } catch (error) {
      this.#end(error)
      throw error
    }
  }

  /** Once for each operation. What it throws ends this process before any target is begun. */
  async #prepare(operation: Operation, { parameters }: Campaign): Promise<void> {
    const prepared =
      this.#prepared.get(operation.name) ?? operation.prepare(this.#workspace, parameters)
    this.#prepared.set(operation.name, prepared)
    try {
      await prepared
    } catch (error) {
      this.#end(error)
      throw error
    }
  }

  /** @returns how many campaigns are left that run */
  async #giveOut(): Promise<number> {
    const { database } = this.#workspace
    await unlockLost(database)
    let left = 0
    for (const id of await selectDetached(database)) {
      const { campaign } = await advanceCampaign(this.#workspace, id, this.#presence.runner)
      if (campaign.state !== 'running' || !this.#operations[campaign.operation]) continue
      left += 1
      await giveOutTargets(this.#workspace, campaign)
    }
    return left
  }
}

/** Puts the targets of a campaign that may start now into the queue, up to {@link MOST_QUEUED}. */
async function giveOutTargets(workspace: Workspace, campaign: Campaign): Promise<void> {
  const { database, clock } = workspace
  const { id, wave, waveOpensAt } = campaign
  if (waveOpensAt !== null && waveOpensAt > clock.now()) return
  let room = MOST_QUEUED - (await countQueued(database, campaign))
  while (room > 0) {
    const given = await database.transaction(async (transaction) => {
      const now = clock.now()
      const due = await lockDue(transaction, { campaign: id, wave, now, limit: PAGE })
      const ready: number[] = []
      const later: { position: number; readyAt: Date }[] = []
      for (const target of due) {
        const readiness = readinessOf(workspace, campaign, target, now)
        // One whose window is not known fails when it is claimed.
        if ('fault' in readiness || readiness.isReady) ready.push(target.position)
        else later.push({ position: target.position, readyAt: readiness.readyAt })
      }
      if (ready.length > 0) await insertJobs(transaction, { campaign: id, now }, ready)
      if (later.length > 0) await updateReady(transaction, id, later)
      return { looked: due.length, ready: ready.length }
    })
    if (given.looked < PAGE) return
    room -= given.ready
  }
}
