import type { EmbeddedSettings } from '../../config/settings.js'
import { FailureError } from '../../errors.js'
import type { Log } from '../../workspace.js'
import type { Routes } from '../route.js'

/** The embedded database for people. */
export function describeEmbedded(settings: EmbeddedSettings): string {
  return `embedded in ${settings.home}`
}

/** The way to the embedded database, which is started when it does not run. */
export async function embeddedRoutes(
  _settings: EmbeddedSettings,
  _given: { log: Log; maxConnections: number | undefined },
): Promise<Routes> {
  throw new FailureError('embedded-unavailable', 'the embedded database cannot be started yet')
}
