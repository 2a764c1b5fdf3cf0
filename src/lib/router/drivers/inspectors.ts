import { FailureError } from '../../errors.js'
import type { RouterDriver } from '../types.js'
import type { Inspector } from './inspector.js'
import { inspectOpenwrt } from './openwrt/inspect.js'

/** RutOS is built on OpenWrt, and has the same commands for this. */
const INSPECTORS: Partial<Record<RouterDriver, Inspector>> = {
  openwrt: inspectOpenwrt,
  rutos: inspectOpenwrt,
}

/** How the state of such a router is read. Throws FailureError for a kind whose state cannot be read yet. */
export function inspectorOf(driver: RouterDriver): Inspector {
  const inspector = INSPECTORS[driver]
  if (inspector !== undefined) return inspector
  throw new FailureError('driver-cannot-check', `the state of ${driver} routers cannot be read yet`)
}
