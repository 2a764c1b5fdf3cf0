import { ExpectedError } from '../errors.js'
import type { Secret } from '../secret.js'
import type { Delivered, Sink, SinkSurroundings } from './types.js'

/** What became of one sink when another one failed. */
export interface SinkReport {
  sink: string
  /** `kept`: it has the secret and cannot be put back. */
  outcome: 'failed' | 'put back' | 'kept' | 'not tried'
  reason?: string
}

/** Sinks that all have the secret. */
export interface HandedOut {
  /** Puts all back that can be; tells what became of each. */
  putBack(): Promise<SinkReport[]>
}

/** Thrown when a sink has failed; what others had taken was put back where that is possible. */
export class SinkFailure extends Error {
  readonly reports: readonly SinkReport[]

  constructor(reports: readonly SinkReport[], cause: unknown) {
    super('a sink failed', { cause })
    this.reports = reports
  }
}

/**
 * Delivers a secret to all sinks, those last that cannot be put back.
 * Throws SinkFailure as soon as one fails.
 */
export async function handOut(
  sinks: readonly Sink[],
  secret: Secret,
  surroundings: SinkSurroundings,
): Promise<HandedOut> {
  const order = [...sinks].sort((a, b) => Number(b.canPutBack) - Number(a.canPutBack))
  const done: { sink: Sink; delivered: Delivered }[] = []
  for (const [index, sink] of order.entries()) {
    try {
      surroundings.signal.throwIfAborted()
      done.push({ sink, delivered: await sink.deliver(secret, surroundings) })
    } catch (error) {
      const reports = [
        ...(await putAllBack(done)),
        { sink: sink.name, outcome: 'failed' as const, reason: reasonOf(error) },
        ...order
          .slice(index + 1)
          .map(({ name }) => ({ sink: name, outcome: 'not tried' as const })),
      ]
      throw new SinkFailure(reports, error)
    }
  }
  return { putBack: () => putAllBack(done) }
}

async function putAllBack(
  done: readonly { sink: Sink; delivered: Delivered }[],
): Promise<SinkReport[]> {
  const reports: SinkReport[] = []
  for (const { sink, delivered } of done) {
    const report: SinkReport = {
      sink: sink.name,
      outcome: sink.canPutBack ? 'put back' : 'kept',
    }
    await delivered.putBack().catch((error: unknown) => {
      report.outcome = 'kept'
      report.reason = reasonOf(error)
    })
    reports.push(report)
  }
  return reports
}

function reasonOf(error: unknown): string {
  return error instanceof ExpectedError ? error.message : 'it failed unexpectedly'
}
