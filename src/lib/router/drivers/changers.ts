import { UsageError } from '../../errors.js'
import type { RouterDriver } from '../types.js'
import type { Changer } from './changer.js'
import { openwrtChanger } from './openwrt/changer.js'

const CHANGERS: Partial<Record<RouterDriver, Changer>> = {
  openwrt: openwrtChanger((username) => [username]),
  // `root` logs in by SSH, `admin` on the web page; they are meant to have one password.
  rutos: openwrtChanger(() => ['root', 'admin']),
}

/** How the secrets of such a router are changed. Throws UsageError for a kind that cannot be changed yet. */
export function changerOf(driver: RouterDriver): Changer {
  const changer = CHANGERS[driver]
  if (changer !== undefined) return changer
  throw new UsageError(
    'driver-cannot-rotate',
    `the secrets of ${driver} routers cannot be rotated yet`,
  )
}
