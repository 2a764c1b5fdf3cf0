import type { Workspace } from '../workspace.js'
import { advanceCampaign, type Advanced } from './advance.js'
import { claimReady } from './claim.js'
import type { Operation } from './operation.js'
import { performTarget } from './perform.js'
import { withPresence, type Presence } from './presence.js'
import { countByWave } from './target-store.js'
import type { Campaign } from './types.js'
import { formatWindow } from './window.js'

/** News may get lost, and clocks go on: so long at most a runner waits before it looks again. */
const REST_MS = 5000
const SOON_MS = 50
/** How often waves, stop rules and lost runners are looked after while targets are being worked off. */
const LOOK_EVERY_MS = 1000
/** Counting reads every target; what others have finished may be shown so late. */
const COUNT_EVERY_MS = 5000

/**
 * Works a campaign off in this process, until nothing is left that it may start: the campaign is done, or somebody or
 * a rule has ended its running, or the workspace's signal is aborted. Targets that were begun are finished.
 * Other processes may do the same at the same time.
 * Throws UnreachableError when the database is lost, and what the operation's `prepare` throws.
 */
export async function runCampaign(
  workspace: Workspace,
  given: { campaign: Campaign; operation: Operation; concurrency: number },
): Promise<void> {
  const { campaign, operation } = given
  await operation.prepare(workspace, campaign.parameters)
  await withPresence(workspace, { campaign: campaign.id }, async (presence) => {
    const run = new Run(workspace, given, presence)
    try {
      await run.work()
    } finally {
      await run.finish()
    }
  })
}

class Run {
  readonly #workspace: Workspace
  readonly #given: { campaign: Campaign; operation: Operation; concurrency: number }
  readonly #presence: Presence
  readonly #running = new Set<Promise<void>>()
  #trouble: { error: unknown } | undefined
  #seen: Advanced | undefined
  #toldUntil = 0
  #lookAt = 0
  #countAt = 0
  #finished = 0
  #total = 0

  constructor(
    workspace: Workspace,
    given: { campaign: Campaign; operation: Operation; concurrency: number },
    presence: Presence,
  ) {
    this.#workspace = workspace
    this.#given = given
    this.#presence = presence
  }

  async work(): Promise<void> {
    const { signal } = this.#workspace
    while (!signal.aborted) {
      this.#presence.lost.throwIfAborted()
      if (this.#trouble) throw this.#trouble.error
      if (performance.now() >= this.#lookAt && !(await this.#look())) return
      const begun = await this.#begin()
      if (this.#running.size >= this.#given.concurrency) await Promise.race(this.#running)
      else if (begun === 0) {
        if (!(await this.#look())) return
        await this.#rest()
      }
    }
  }

  /** Waits for what was begun. */
  async finish(): Promise<void> {
    await Promise.all(this.#running)
    if (this.#trouble && !this.#workspace.signal.aborted) throw this.#trouble.error
  }

  /** @returns whether there is anything left to do for this process */
  async #look(): Promise<boolean> {
    const { campaign } = this.#given
    this.#lookAt = performance.now() + LOOK_EVERY_MS
    this.#seen = await advanceCampaign(this.#workspace, campaign.id, this.#presence.runner)
    const { state, isDetached } = this.#seen.campaign
    if (state !== 'running' || isDetached) return false
    await this.#count()
    return true
  }

  /** Starts as many targets as may run. @returns how many */
  async #begin(): Promise<number> {
    const { campaign, operation, concurrency } = this.#given
    const { runner } = this.#presence
    const free = concurrency - this.#running.size
    if (free === 0) return 0
    const claims = await claimReady(this.#workspace, campaign, { runner, free, isDetached: false })
    for (const claim of claims) {
      const work = performTarget(this.#workspace, { campaign, operation, runner, claim })
        .then(({ state }) => {
          if (state === 'waiting') return
          this.#finished += 1
          // Whether it is the one too many is to be known before the next one starts.
          if (state === 'failed') this.#lookAt = 0
          this.#show()
        })
        .catch((error: unknown) => {
          this.#trouble ??= { error }
        })
        .finally(() => this.#running.delete(work))
      this.#running.add(work)
    }
    return claims.length
  }

  /** Until a target is finished, news come, or the next one may start. */
  async #rest(): Promise<void> {
    const { signal } = this.#workspace
    const ended = new AbortController()
    await Promise.race([
      ...this.#running,
      this.#presence.rest(this.#restMs(), AbortSignal.any([signal, ended.signal])),
    ])
    ended.abort()
    if (this.#running.size === 0) this.#show()
  }

  /** Says once what it waits for, when that is longer than a moment. */
  #tellWaiting({ campaign, wave }: Advanced, opens: number): void {
    if (this.#running.size > 0 || opens === this.#toldUntil) return
    this.#toldUntil = opens
    const { waveOpensAt, pace } = campaign
    const isPause = Number(waveOpensAt ?? 0) === opens
    const windowed = [
      ...(pace.window === null ? [] : [`its window, ${formatWindow(pace.window)}`]),
      ...(pace.jitterMs === 0 ? [] : ['its jitter']),
    ].join(', and ')
    const what = isPause ? 'the pause between waves' : windowed
    const until = new Date(opens).toISOString()
    this.#workspace.log.info(
      `campaign ${campaign.id} waits until ${until} for ${what}, with ${wave?.waiting ?? 0} left in wave ${campaign.wave}`,
    )
  }

  #restMs(): number {
    if (this.#seen === undefined || this.#seen.wave?.waiting === 0) return REST_MS
    const { campaign, wave } = this.#seen
    const opens = Math.max(Number(wave?.readyAt ?? 0), Number(campaign.waveOpensAt ?? 0))
    const ms = opens - this.#workspace.clock.now().getTime()
    if (ms > REST_MS) this.#tellWaiting(this.#seen, opens)
    // What may start and was not to be had is held for a moment by another process.
    return ms > 0 ? Math.min(ms, REST_MS) : SOON_MS
  }

  async #count(): Promise<void> {
    if (performance.now() < this.#countAt) return
    this.#countAt = performance.now() + COUNT_EVERY_MS
    const waves = await countByWave(this.#workspace.database, this.#given.campaign.id)
    const left = waves.reduce((sum, { waiting, running }) => sum + waiting + running, 0)
    this.#total = waves.reduce((sum, { targets }) => sum + targets, 0)
    this.#finished = this.#total - left
    this.#show()
  }

  #show(): void {
    if (this.#total === 0) return
    this.#workspace.log.progress({ done: this.#finished, total: this.#total, unit: 'targets' })
  }
}
