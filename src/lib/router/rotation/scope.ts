import { ConflictError } from '../../errors.js'
import type { RouterView } from '../drivers/changer.js'
import type { Change } from './types.js'
import { goalBefore, isExtraSection, isWifi, type Wifi } from './wifi.js'

/** Whether loggers move by a second Wi-Fi, as a new name demands. @throws ConflictError where they cannot move at all */
export function isSecondWifi(
  installation: string,
  { accessPoints }: RouterView,
  sections: readonly string[],
  isRenamed: boolean,
): boolean {
  const chosen = accessPoints.filter(({ section }) => sections.includes(section))
  for (const { section, overlap } of chosen)
    if (typeof overlap !== 'string')
      throw new ConflictError(
        'overlap-impossible',
        `no second passphrase can work at ${section} of ${installation}: ${overlap.impossible}`,
        {
          suggestions: [
            `cleverctl router rotate ${installation} --what wifi --dry-run, without --overlap: it says which loggers are cut off`,
          ],
        },
      )
  return isRenamed || chosen.some(({ overlap }) => overlap === 'wifi')
}

/** @throws ConflictError while another change is open on the router, or somebody's edits are not saved */
export function refuseBusy(installation: string, { open, staged }: RouterView): void {
  if (open && open.state !== 'begun')
    throw new ConflictError(
      'router-busy',
      `another change is open on the router of ${installation}, of another database or engineer`,
      { suggestions: ['a change that nobody confirms goes back by itself: try again later'] },
    )
  if (staged === 0) return
  throw new ConflictError(
    'router-edited',
    `somebody has edits on the router of ${installation} that are not saved`,
    { suggestions: ['save or drop them first (uci changes, uci revert), then once more'] },
  )
}

/**
 * The access points that carry the recorded name; every one where none is recorded, or what is there is overwritten.
 * @throws ConflictError where there is none
 */
export function sectionsOf(
  { router, choice }: Change,
  { accessPoints }: RouterView,
  former: Wifi | undefined,
): string[] {
  const own = accessPoints.filter(({ section }) => !isExtraSection(section))
  const named = own.filter(({ ssid }) => ssid === former?.ssid)
  const isAny = former === undefined || (choice.isOverwriting && named.length === 0)
  const chosen = isAny ? own : named
  if (chosen.length > 0) return chosen.map(({ section }) => section)
  throw new ConflictError(
    'wifi-not-found',
    former === undefined
      ? `the router of ${router.installation} has no access point`
      : `the router of ${router.installation} has no access point named ${former.ssid}`,
    {
      suggestions: [
        `cleverctl router check ${router.installation}`,
        `cleverctl router rotate ${router.installation} --overwrite`,
      ],
    },
  )
}

/** @throws ConflictError where the Wi-Fi is not as it is recorded, unless that is to be overwritten */
export function refuseForeign(
  { router, step, choice }: Change,
  given: {
    view: RouterView
    sections: readonly string[]
    salt: string
    former: Wifi | undefined
    next: Wifi | undefined
  },
): void {
  const { view, sections, salt, former, next } = given
  const expected = goalBefore(step, former, next)
  if (choice.isOverwriting || isWifi(view, sections, expected, salt)) return
  throw new ConflictError(
    'router-changed-by-hand',
    `the Wi-Fi passphrase of ${router.installation} is not the recorded one: somebody changed it`,
    {
      suggestions: [
        `cleverctl router add ${router.installation} --replace, with the passphrase that is there`,
        `cleverctl router rotate ${router.installation} --overwrite`,
      ],
    },
  )
}

/** The name that stays. Under one name they are found again: throws ConflictError where there are several. */
export function nameOf(
  { accessPoints }: RouterView,
  sections: readonly string[],
): string | undefined {
  const chosen = accessPoints.filter(({ section }) => sections.includes(section))
  const names = [...new Set(chosen.map(({ ssid }) => ssid))]
  if (names.length <= 1) return names[0]
  throw new ConflictError(
    'several-names',
    `the access points of the router have several names: ${names.join(', ')}`,
    {
      suggestions: [
        'give them one: --what wifi,name',
        'record the one that is meant: cleverctl router add CODE --replace --ssid NAME',
      ],
    },
  )
}
