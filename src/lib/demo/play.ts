import { FailureError, ExpectedError } from '../errors.js'
import { Stage } from './stage.js'
import type { Cast } from './acts.js'
import { story } from './story.js'

/** A step that was played. */
export interface PlayedStep {
  title: string
  seen: string
  passed: boolean
  durationMs: number
}

/** The story as it came out; every step passed. */
export interface DemoResult {
  steps: PlayedStep[]
  durationMs: number
}

/**
 * Plays the main job from an empty directory to refused arrivals with the real commands, and stops
 * at the first step that does not come out as said. Leaves nothing behind.
 *
 * @param options.program the command line that starts cleverctl
 * @param options.onStep called after each step, to tell the story while it happens
 * @throws FailureError naming the step that came out differently
 */
export async function playDemo(options: {
  program: readonly string[]
  signal: AbortSignal
  onStep: (step: PlayedStep) => void
}): Promise<DemoResult> {
  const began = performance.now()
  const stage = await Stage.open(options.program, options.signal)
  const steps: PlayedStep[] = []
  try {
    const cast: Cast = {}
    for (const { title, play } of story) {
      options.signal.throwIfAborted()
      const start = performance.now()
      const outcome = await play(stage, cast).catch(explain)
      const played = { title, ...outcome, durationMs: Math.round(performance.now() - start) }
      steps.push(played)
      options.onStep(played)
      if (!played.passed) {
        throw new FailureError('demo-differs', `the demo came out differently at: ${title}`, {
          result: { steps },
        })
      }
    }
  } finally {
    await stage.close()
  }
  return { steps, durationMs: Math.round(performance.now() - began) }
}

function explain(error: unknown): { seen: string; passed: false } {
  if (!(error instanceof ExpectedError)) throw error
  return { seen: [error.message, ...error.suggestions].join(': '), passed: false }
}
