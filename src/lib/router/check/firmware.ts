import { UsageError } from '../../errors.js'
import type { RouterDriver } from '../types.js'

/** Reads `openwrt=23.05.5`. Throws UsageError for anything else. */
export function parseWantedFirmware(
  texts: readonly string[],
  drivers: readonly RouterDriver[],
): Map<RouterDriver, string> {
  return new Map(
    texts.map((text) => {
      const [name, version = ''] = text.split('=')
      const driver = drivers.find((each) => each === name)
      if (driver === undefined || !/^\d+(?:\.\d+)+$/.test(version))
        throw new UsageError(
          'bad-firmware',
          '--firmware takes a driver and a version: openwrt=23.05.5',
        )
      return [driver, version]
    }),
  )
}

/** Whether a firmware is older than the wanted version; undefined: it does not say which one it is. */
export function isOlderFirmware(version: string, wanted: string): boolean | undefined {
  const is = numbersOf(version)
  if (is.length === 0) return undefined
  for (const [index, number] of numbersOf(wanted).entries()) {
    const own = is[index] ?? 0
    if (own !== number) return own < number
  }
  return false
}

/** `RUTX_R_00.07.20` is 0, 7, 20: the numbers of the part that has dots. */
function numbersOf(version: string): number[] {
  const [dotted] = /\d+(?:\.\d+)+/.exec(version) ?? []
  return dotted?.split('.').map(Number) ?? []
}
