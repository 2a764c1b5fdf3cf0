import type { RouterDriver } from '../types.js'
import type { Inspector } from './inspector.js'
import { inspectOpenwrt } from './openwrt/inspect.js'
import { inspectRouteros } from './routeros/inspect.js'

/** RutOS is built on OpenWrt, and has the same commands for this. */
const INSPECTORS: Record<RouterDriver, Inspector> = {
  openwrt: inspectOpenwrt,
  rutos: inspectOpenwrt,
  routeros: inspectRouteros,
}

/** How the state of such a router is read. */
export function inspectorOf(driver: RouterDriver): Inspector {
  return INSPECTORS[driver]
}
