import type { RouterDriver } from '../types.js'
import type { Changer } from './changer.js'
import { openwrtChanger } from './openwrt/changer.js'
import { routerosChanger } from './routeros/changer.js'

const CHANGERS: Record<RouterDriver, Changer> = {
  openwrt: openwrtChanger((username) => [username]),
  // `root` logs in by SSH, `admin` on the web page; they are meant to have one password.
  rutos: openwrtChanger(() => ['root', 'admin']),
  routeros: routerosChanger,
}

/** How the secrets of such a router are changed. */
export function changerOf(driver: RouterDriver): Changer {
  return CHANGERS[driver]
}
