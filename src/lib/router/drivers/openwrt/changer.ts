import { ConflictError, FailureError } from '../../../errors.js'
import type { SshSession } from '../../../ssh/session.js'
import type { ScriptResult } from '../../../ssh/types.js'
import type { Changer, Order } from '../changer.js'
import { openwrtScript } from './script.js'
import { readView } from './view.js'

/** As `change.sh` ends. */
const Ended = { done: 0, tooLate: 3, otherChange: 73, edited: 75, full: 77 } as const

/** The script's name on the router until it is armed; memory, gone with a power cut. */
const pathOf = (id: string) => `/tmp/cleverctl-${id}.sh`

/**
 * OpenWrt, and what is built on it, by `change.sh`, which says how it is done.
 * @param accountsOf the accounts that get the password of whoever logs in
 */
export function openwrtChanger(accountsOf: Changer['accounts']): Changer {
  return {
    accounts: accountsOf,
    async look(session, { id, salt }) {
      const result = await send(session, id, `look ${salt}`)
      requireDone(result)
      return readView(result.stdout.toString('utf8'))
    },
    async arm(session, { id, seconds, wireless, accounts }) {
      const parts = [...(wireless ? ['wireless'] : []), ...accounts]
      requireDone(await session.run(`sh ${pathOf(id)} arm ${id} ${seconds} ${parts.join(' ')}`))
    },
    async apply(session, { id, orders }) {
      const stdin = Buffer.from([...orders.map(toLine), 'end', ''].join('\n'))
      requireDone(await session.run(`sh ${pathOf(id)} apply ${id}`, { stdin }))
    },
    confirm: (session, id) => decide(session, id, 'confirm'),
    undo: (session, id) => decide(session, id, 'undo'),
  }
}

async function decide(session: SshSession, id: string, verb: 'confirm' | 'undo'): Promise<boolean> {
  const path = pathOf(id)
  const result = await send(session, id, `${verb} ${id}; code=$?; rm -f ${path}; exit $code`)
  if (result.code === Ended.tooLate) return false
  requireDone(result)
  return true
}

/** Sends the script anew, for a router may have lost it by a restart, and runs it. */
async function send(session: SshSession, id: string, call: string): Promise<ScriptResult> {
  const stdin = Buffer.from(await openwrtScript('change.sh'))
  const path = pathOf(id)
  return session.run(`umask 077; cat >${path} && sh ${path} ${call}`, { stdin })
}

/** Names of sections and accounts come from the router or this tool, values from this tool: no blanks. */
function toLine(order: Order): string {
  if ('add' in order) return addition(order)
  if ('remove' in order) return `delete ${order.section}`
  if (order.set === 'ssid') return `set ${order.section} ssid ${order.ssid}`
  if (order.set === 'passphrase') return `set ${order.section} key ${order.secret.reveal()}`
  return `password ${order.account} ${order.secret.reveal()}`
}

function addition(order: Extract<Order, { add: string }>): string {
  const { section } = order
  const secret = order.secret.reveal()
  if (order.add === 'extra') return `station ${section} ${secret}`
  const lines = [
    `clone ${section} ${order.like}`,
    `set ${section} ssid ${order.ssid}`,
    `set ${section} key ${secret}`,
  ]
  return lines.join('\n')
}

function requireDone({ code, stderr }: ScriptResult): void {
  if (code === Ended.done) return
  const said = stderr.toString('utf8').trim().split('\n').at(-1)?.slice(0, 200) ?? ''
  const message = said === '' ? `the router ended the change with ${code ?? 'a signal'}` : said
  if (code === Ended.otherChange)
    throw new ConflictError('router-busy', `on the router: ${message}`, {
      suggestions: [
        'cleverctl router reconcile',
        'a change that nobody confirms goes back by itself',
      ],
    })
  if (code === Ended.edited)
    throw new ConflictError('router-edited', `on the router: ${message}`, {
      suggestions: ['save or drop those edits first (uci changes, uci revert), then once more'],
    })
  const name = code === Ended.full ? 'router-flash-full' : 'router-change-failed'
  throw new FailureError(name, `on the router: ${message}`)
}
