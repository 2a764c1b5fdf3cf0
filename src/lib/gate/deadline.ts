/** What {@link withDeadline} throws. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

/**
 * Waits for `work`, `ms` milliseconds at most. The work itself goes on; what becomes of it then is
 * nobody's business any more.
 * @throws DeadlineError
 */
export async function withDeadline<Result>(work: Promise<Result>, ms: number): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const overdue = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(`no answer within ${ms} ms`)), ms)
  })
  // Whichever loses the race must not become an unhandled rejection.
  work.catch(() => undefined)
  try {
    return await Promise.race([work, overdue])
  } finally {
    clearTimeout(timer)
  }
}
