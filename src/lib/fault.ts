import { UsageError } from './errors.js'

/** Why something that was given is not taken: a stable word for scripts, a sentence for people. */
export interface Fault {
  code: string
  reason: string
}

/** Throws a fault as the UsageError of a command. */
export function refuseFault(fault: Fault | undefined): void {
  if (fault) throw new UsageError(fault.code, fault.reason)
}
