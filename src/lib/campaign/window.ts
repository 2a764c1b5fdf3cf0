import { getPosition, getTimes } from 'suncalc'
import { UsageError } from '../errors.js'

/** When a plant may be changed, by its own clock or by its own sun. Minutes count from local midnight. */
export type Window = { kind: 'night' } | { kind: 'clock'; fromMinute: number; toMinute: number }

/** Where a target stands. */
export interface Site {
  /** IANA name. */
  timezone: string
  /** Degrees north. */
  latitude: number
  /** Degrees east. */
  longitude: number
}

/** Whether a window is open, and if not, when it opens next. */
export type Opening = { isOpen: true } | { isOpen: false; opensAt: Date }

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** The windows are looked for in these steps, so none may be shorter. */
const STEP_MS = 15 * MINUTE_MS
/** Summer time can take one night's window away, never two. */
const SEARCH_MS = 3 * DAY_MS
/** The upper edge of the sun at the horizon, as the library gives heights: with refraction, in degrees. */
const SUNSET_DEGREES = -0.35
/** Where the sun sets for a short time only, or not at all, night is at least so long to both sides of its lowest point. */
const HALF_NIGHT_MS = 60 * MINUTE_MS

/**
 * Reads a window as the flag writes it: `night`, or `02:00-05:00` by the site's own clock; `22:00-04:00` goes over
 * midnight.
 * Throws UsageError for anything else, and for a window of less than a quarter of an hour.
 */
export function parseWindow(text: string): Window {
  if (text === 'night') return { kind: 'night' }
  const [, fromHour, from, toHour, to] =
    /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? []
  const fromMinute = Number(fromHour) * 60 + Number(from)
  const toMinute = Number(toHour) * 60 + Number(to)
  if (to === undefined || lengthOf(fromMinute, toMinute) * MINUTE_MS < STEP_MS)
    throw new UsageError(
      'bad-window',
      'a window is night, or a quarter of an hour and more such as 02:00-05:00',
    )
  return { kind: 'clock', fromMinute, toMinute }
}

/** A window as the flag writes it. */
export function formatWindow(window: Window): string {
  if (window.kind === 'night') return 'night'
  const clock = (minute: number) =>
    [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':')
  return `${clock(window.fromMinute)}-${clock(window.toMinute)}`
}

/** How long a window is open at least on a usual day, in milliseconds. */
export function shortestOpening(window: Window): number {
  return window.kind === 'night'
    ? 2 * HALF_NIGHT_MS
    : lengthOf(window.fromMinute, window.toMinute) * MINUTE_MS
}

/**
 * Whether a site's window is open at `now`, and when it opens next, to the minute.
 * Night is from sunset to sunrise; where the sun does not set, or for a short time only, at least the hour before
 * and the hour after its lowest point. In the polar night it is always night.
 * Undefined for a time zone that this machine does not know: then nothing is known about the window.
 */
export function openingOf(window: Window, site: Site, now: Date): Opening | undefined {
  const isOpenAt = window.kind === 'night' ? nightAt(site) : clockAt(window, site)
  if (isOpenAt === undefined) return undefined
  if (isOpenAt(now.getTime())) return { isOpen: true }
  const end = now.getTime() + SEARCH_MS
  for (let at = now.getTime() + STEP_MS; at <= end; at += STEP_MS) {
    if (isOpenAt(at)) return { isOpen: false, opensAt: firstOpen(isOpenAt, at - STEP_MS, at) }
  }
  return undefined
}

/** The first whole minute at which it is open, between a closed moment and an open one. */
function firstOpen(isOpenAt: (at: number) => boolean, closed: number, open: number): Date {
  let [low, high] = [closed, open]
  while (high - low > 1000) {
    const middle = (low + high) / 2
    if (isOpenAt(middle)) high = middle
    else low = middle
  }
  const minute = Math.ceil(low / MINUTE_MS) * MINUTE_MS
  return new Date(isOpenAt(minute) ? minute : minute + MINUTE_MS)
}

function nightAt({ latitude, longitude }: Site): (at: number) => boolean {
  return (at) => {
    const moment = new Date(at)
    if (getPosition(moment, latitude, longitude).altitude < SUNSET_DEGREES) return true
    const nadir = getTimes(moment, latitude, longitude).nadir.getTime()
    const days = Math.round((at - nadir) / DAY_MS)
    return Math.abs(at - (nadir + days * DAY_MS)) <= HALF_NIGHT_MS
  }
}

function clockAt(
  { fromMinute, toMinute }: { fromMinute: number; toMinute: number },
  { timezone }: Site,
): ((at: number) => boolean) | undefined {
  const clock = localClock(timezone)
  if (clock === undefined) return undefined
  return (at) => {
    const [hour, minute] = clock.format(at).split(':').map(Number)
    const local = (hour ?? 0) * 60 + (minute ?? 0)
    return fromMinute < toMinute
      ? local >= fromMinute && local < toMinute
      : local >= fromMinute || local < toMinute
  }
}

/** Making one costs a thousand times what using it does. */
const clocks = new Map<string, Intl.DateTimeFormat>()

function localClock(timeZone: string): Intl.DateTimeFormat | undefined {
  const known = clocks.get(timeZone)
  if (known) return known
  try {
    const made = new Intl.DateTimeFormat('en', {
      timeZone,
      hourCycle: 'h23',
      hour: '2-digit',
      minute: '2-digit',
    })
    clocks.set(timeZone, made)
    return made
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** In minutes; from a moment to the same is no window. */
function lengthOf(fromMinute: number, toMinute: number): number {
  return (toMinute - fromMinute + 1440) % 1440
}
