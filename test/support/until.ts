import { setTimeout as sleep } from 'node:timers/promises'

/** Polls until `condition` holds; fails after `ms` milliseconds. @returns how long it took */
export async function until(
  condition: () => boolean | Promise<boolean>,
  ms = 120_000,
): Promise<number> {
  const began = performance.now()
  while (!(await condition())) {
    if (performance.now() - began > ms) throw new Error(`nothing of the kind within ${ms} ms`)
    await sleep(5)
  }
  return performance.now() - began
}
