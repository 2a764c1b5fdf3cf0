import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { ConflictError, FailureError } from '../../../errors.js'
import type { SshSession } from '../../../ssh/session.js'
import type { AccessPoint, Changer, Overlap } from '../changer.js'
import { ask, askMenu, ConsoleError, putField, quoted } from './console.js'
import { extrasOf, sectionOf } from './inspect.js'
import { BOOT, FIND_OPEN, isSecond, LAST, PREFIX, readMark, SCRIPT, TIMER } from './mark.js'
import { NOWHERE, planOf, type Plan } from './plan.js'
import { readWifi } from './wifi/read.js'
import type { RosInterface, RosWifi } from './wifi/types.js'

/** What the scheduler's items may do; the user that logs in must have as much. */
const POLICY = 'read,write,policy,test,sensitive'
/**
 * Who confirms and who undoes both write what they want, wait, and go on only if it still stands there (Fischer's
 * algorithm): the console has nothing that compares and sets at once. From the look to the write are milliseconds.
 */
const SETTLE = '2s'
/** A change has three states to go through; each may come while one looks. */
const MAX_LOOKS = 4
const ROOM_BYTES = 65_536
const BUSY = 'failure: another change is open'

/**
 * RouterOS 6 and 7. What is set there is kept at once, so a script on the router undoes it: the scheduler runs it after
 * so many seconds, and a second item runs it at every start, because one with an interval does not run at a start.
 * The comment of that item is the truth about the change. What is put aside, old secrets, lies in fields that RouterOS
 * treats as passwords.
 */
export const routerosChanger: Changer = {
  accounts: (username) => [username],
  async look(session, { salt }) {
    const { wifi, mark } = await readTogether(session, salt)
    // A second Wi-Fi that is off goes as soon as the change is confirmed.
    const points = wifi.interfaces.filter(
      (each) => each.mode === 'ap' && (each.isOn || !isSecond(each)),
    )
    return {
      ...mark,
      staged: 0,
      accessPoints: points.map((point) => accessPointOf(point, wifi, salt)),
      extras: extrasOf(wifi).map((extra) => ({ section: sectionOf(extra), digest: extra.digest })),
      accounts: [],
      onAir: points.map(({ isOnAir, stations, ssid }) => ({
        isUp: isOnAir === true,
        stations,
        ssid,
      })),
    }
  },
  async arm(session, { id, seconds, orders }) {
    await requireScheduler(session)
    const plan = planOf(await readWifi(session, id), orders)
    const { open } = await readMark(session)
    // Whoever began it was cut off before anything was changed.
    if (open?.state === 'begun') await change(session, unlessMoved(`begun ${open.id}`, forget()))
    try {
      await change(session, armLine(id, seconds, plan))
    } catch (error) {
      await change(session, unlessMoved(`begun ${id}`, forget())).catch(() => undefined)
      throw error
    }
  },
  async apply(session, { id, orders }) {
    const { apply } = planOf(await readWifi(session, id), orders)
    const failed = `/system script run ${SCRIPT};:error "failure: RouterOS did not take the change"`
    await change(
      session,
      [
        readState(),
        `:if ($s != ${quoted(`armed ${id}`)}) do={:error "failure: too late"}`,
        // What fails half-way is put back here and now: whoever called may be gone.
        `:do {${apply.join(';')}} on-error={${failed}}`,
      ].join(';'),
    )
  },
  async confirm(session, id) {
    const state = await decide(session, [
      readState(),
      claim(`armed ${id}`, `confirmed ${id}`),
      putField('state', '$s'),
      `:if ($s = ${quoted(`confirmed ${id}`)}) do={/system script run ${SCRIPT}}`,
    ])
    return state === `confirmed ${id}`
  },
  async undo(session, id) {
    const states = [`armed ${id}`, `undoing ${id}`]
    const begun = `begun ${id}`
    const state = await decide(session, [
      readState(),
      putField('state', '$s'),
      ...states.map((each) => `:if ($s = ${quoted(each)}) do={/system script run ${SCRIPT}}`),
      `:if ($s = ${quoted(begun)}) do={${end('undone', id)}}`,
    ])
    return state !== undefined && [...states, begun].includes(state)
  },
}

/** The Wi-Fi and the mark of one moment: while a router goes back, the one may be older than the other. */
async function readTogether(
  session: SshSession,
  salt: string,
): Promise<{ wifi: RosWifi; mark: Awaited<ReturnType<typeof readMark>> }> {
  let before = await readMark(session)
  for (let looks = 0; looks < MAX_LOOKS; looks++) {
    const wifi = await readWifi(session, salt)
    const mark = await readMark(session)
    if (isDeepStrictEqual(before, mark)) return { wifi, mark }
    before = mark
  }
  throw new FailureError('router-unreadable', 'the router changes while it is looked at')
}

/** @returns the state that was printed; undefined when it moved meanwhile, so that one has to look again */
async function decide(
  session: SshSession,
  commands: readonly string[],
): Promise<string | undefined> {
  try {
    const [line = ''] = await ask(session, commands.join(';'))
    return line.slice('state '.length)
  } catch (error) {
    if (error instanceof ConsoleError) return undefined
    throw error
  }
}

/** Has a change carried out. @throws ConflictError, FailureError */
async function change(session: SshSession, line: string): Promise<void> {
  try {
    await ask(session, line)
  } catch (error) {
    if (!(error instanceof ConsoleError)) throw error
    if (error.said === BUSY)
      throw new ConflictError('router-busy', `on the router: ${error.said}`, {
        suggestions: [
          'cleverctl router reconcile',
          'a change that nobody confirms goes back by itself',
        ],
      })
    throw new FailureError('router-change-failed', error.message, {
      suggestions: error.suggestions,
    })
  }
}

/** What would not run must not be relied on: `home` mode forbids the scheduler, and a full flash keeps nothing. */
async function requireScheduler(session: SshSession): Promise<void> {
  const mode = '([/system device-mode print as-value]->"scheduler")'
  const [said = ''] = (await askMenu(session, 'device-mode', putField('scheduler', mode))) ?? []
  if (/ (?:no|false)$/.test(said))
    throw new ConflictError(
      'router-no-scheduler',
      'the device mode of the router forbids its scheduler, which would have to undo the change',
      { suggestions: ['on the router: /system/device-mode/update scheduler=yes'] },
    )
  const [room = ''] = await ask(session, putField('free', '[/system resource get free-hdd-space]'))
  if (Number(room.slice('free '.length)) < ROOM_BYTES)
    throw new FailureError('router-flash-full', 'the flash of the router is full', {
      suggestions: ['on the router: /file print'],
    })
}

function armLine(id: string, seconds: number, plan: Plan): string {
  const add = (name: string, more: string) =>
    `/system scheduler add name=${name} ${more} on-event=${SCRIPT} policy=${POLICY}`
  return [
    `:if ([:len ${FIND_OPEN}] > 0) do={:error ${quoted(BUSY)}}`,
    // By its name it is the lock as well.
    add(BOOT, `start-time=startup interval=0s comment=${quoted(`begun ${id}`)}`),
    ...leftovers(),
    ...plan.stash,
    `/system script add name=${SCRIPT} policy=${POLICY} source=${quoted(scriptOf(id, plan))}`,
    add(TIMER, `interval=${seconds}s`),
    `/system scheduler set ${FIND_OPEN} comment=${quoted(`armed ${id}`)}`,
  ].join(';')
}

/** The script that stays on the router. It holds no secret, may be cut off anywhere, and run twice at once. */
function scriptOf(id: string, { restore, finish }: Plan): string {
  const when = (state: string, ...commands: string[]) =>
    `:if ($s = ${quoted(`${state} ${id}`)}) do={${commands.join(';')}}`
  return [
    readState(),
    claim(`armed ${id}`, `undoing ${id}`),
    when('undoing', ...restore, end('undone', id), ':log warning "cleverctl: a change is undone"'),
    when('confirmed', ...finish, end('confirmed', id)),
    when('begun', forget()),
  ].join(';')
}

/** Puts the state of the open change into `$s`, and its item into `$i`. */
function readState(): string {
  return `:local i ${FIND_OPEN};:local s "";:if ([:len $i] > 0) do={:set s [/system scheduler get $i comment]}`
}

function claim(from: string, to: string): string {
  const commands = [
    `/system scheduler set $i comment=${quoted(to)}`,
    `:delay ${SETTLE}`,
    ':set s [/system scheduler get $i comment]',
  ]
  return `:if ($s = ${quoted(from)}) do={${commands.join(';')}}`
}

function unlessMoved(state: string, commands: string): string {
  return `${readState()};:if ($s = ${quoted(state)}) do={${commands}}`
}

/** Ends a change, and keeps how it ended. Power may fail between any two commands. */
function end(outcome: 'confirmed' | 'undone', id: string): string {
  return [
    `/system scheduler remove [find name=${LAST}]`,
    `/system scheduler add name=${LAST} disabled=yes interval=0s comment=${quoted(`${outcome} ${id}`)}`,
    forget(),
  ].join(';')
}

/** The item that says where the change stands goes after what it is about, and before what it runs. */
function forget(): string {
  const [timer, secrets, script] = leftovers()
  return [secrets, timer, `/system scheduler remove [find name=${BOOT}]`, script].join(';')
}

function leftovers(): [string, string, string] {
  return [
    `/system scheduler remove [find name=${TIMER}]`,
    `/ppp secret remove [find name~"^${PREFIX}"]`,
    `/system script remove [find name=${SCRIPT}]`,
  ]
}

function accessPointOf(point: RosInterface, { extraMenu }: RosWifi, salt: string): AccessPoint {
  const { name, isOn, encryption, digest, ssid } = point
  return {
    ...{ section: name, isOn, encryption, ssid },
    digest: digest ?? createHash('sha256').update(salt).digest('hex'),
    overlap: overlapOf(point, extraMenu),
  }
}

/** Further passphrases are there from 7.17 on, with the newer drivers, and not with WPA3. */
function overlapOf(
  { types, groupAt, second }: RosInterface,
  extraMenu: string | undefined,
): Overlap {
  if (extraMenu !== undefined && groupAt !== undefined && !types.includes('wpa3-psk'))
    return 'passphrase'
  return second ? 'wifi' : { impossible: NOWHERE }
}
