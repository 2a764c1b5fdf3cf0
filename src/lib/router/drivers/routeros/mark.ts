import type { SshSession } from '../../../ssh/session.js'
import type { RouterView } from '../changer.js'
import { ask, printItems, quoted, readItems, textOf } from './console.js'

/** What a change puts on a router. All of it begins with one word, by which it is found and removed. */
export const PREFIX = 'cleverctl-'
/** The scheduler's items: by the clock, at every start, and what is left of the change before. */
export const TIMER = `${PREFIX}timer`
export const BOOT = `${PREFIX}boot`
export const LAST = `${PREFIX}last`
/** The script that both of them run. */
export const SCRIPT = `${PREFIX}change`

/** The comments of passphrases that an overlap puts there: the new one is known as the section of that name. */
export const EXTRA_COMMENTS = { next: 'cleverctl_next', former: 'cleverctl_former' } as const

/** Whether an interface is a second Wi-Fi that a rotation has added. */
export function isSecond({ name }: { name: string }): boolean {
  return name.startsWith(EXTRA_COMMENTS.next)
}

const OPEN = /^(begun|armed|undoing|confirmed) (\S+)$/
const ENDED = /^(confirmed|undone) (\S+)$/

/** Where a router's change stands: the comment of an item of the scheduler says it, in one word and the change's id. */
export async function readMark(session: SshSession): Promise<Pick<RouterView, 'open' | 'last'>> {
  const lines = await ask(session, printItems('/system scheduler', 'item', ['name', 'comment']))
  const items = readItems(lines)('item')
  const comment = (name: string) =>
    textOf(
      items.find((item) => textOf(item, 'name') === name),
      'comment',
    )
  const [, state, id = ''] = OPEN.exec(comment(BOOT)) ?? []
  const [, outcome, lastId = ''] = ENDED.exec(comment(LAST)) ?? []
  return {
    open: isOpenState(state) ? { state, id } : undefined,
    last: outcome === 'confirmed' || outcome === 'undone' ? { outcome, id: lastId } : undefined,
  }
}

type OpenState = NonNullable<RouterView['open']>['state']

function isOpenState(text: string | undefined): text is OpenState {
  return text === 'begun' || text === 'armed' || text === 'undoing' || text === 'confirmed'
}

/** A command that finds the scheduler's item of an open change. */
export const FIND_OPEN = `[/system scheduler find name=${quoted(BOOT)}]`
