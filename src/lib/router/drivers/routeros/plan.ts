import { ConflictError } from '../../../errors.js'
import type { Order } from '../changer.js'
import { quoted } from './console.js'
import { EXTRA_COMMENTS, PREFIX } from './mark.js'
import type { Fields, Place, RosInterface, RosWifi } from './wifi/types.js'

/** Why there can be no second Wi-Fi beside one. */
export const NOWHERE =
  'it is no port of a bridge, so that a second Wi-Fi beside it would lead nowhere'

const PORTS = '/interface bridge port'

/** The commands of one change; each of them may be given twice. */
export interface Plan {
  /** Puts what will change aside, in fields that only users with the policy `sensitive` may read. */
  stash: readonly string[]
  apply: readonly string[]
  restore: readonly string[]
  /** What is left to do when the change stays. */
  finish: readonly string[]
}

/**
 * What the orders come to on this router.
 * @throws ConflictError for an order that cannot be carried out, or could not be undone
 */
export function planOf(wifi: RosWifi, orders: readonly Order[]): Plan {
  const planner = new Planner(wifi, sectionsOf(orders))
  for (const order of orders) planner.plan(order)
  return planner
}

function sectionsOf(orders: readonly Order[]): string[] {
  return orders.flatMap((order) => {
    if ('add' in order) return order.add === 'wifi' ? [order.like] : order.beside
    return 'remove' in order || order.set === 'password' ? [] : [order.section]
  })
}

class Planner implements Plan {
  readonly stash: string[] = []
  readonly apply: string[] = []
  readonly restore: string[] = []
  readonly finish: string[] = []
  readonly #done = new Set<string>()
  readonly #wifi: RosWifi
  readonly #sections: readonly string[]

  constructor(wifi: RosWifi, sections: readonly string[]) {
    this.#wifi = wifi
    this.#sections = sections
  }

  plan(order: Order): void {
    if ('add' in order) {
      if (order.add === 'extra') this.#addExtra(order)
      else this.#addWifi(order)
    } else if ('remove' in order) this.#remove(order)
    else if (order.set === 'password') this.#setPassword(order)
    else if (order.set === 'ssid') this.#setSsid(order)
    else this.#setPassphrase(order)
  }

  #setPassphrase({ section, secret }: Extract<Order, { set: 'passphrase' }>): void {
    for (const at of this.#interface(section).passphraseAt) {
      if (this.#isDone(at)) continue
      this.#refuseShared(section, at)
      const kept = this.#keep(getCommand(at))
      this.apply.push(setCommand(at, quoted(secret.reveal())))
      this.restore.push(ifKept(kept, setCommand(at, valueOf(kept))))
    }
  }

  #setSsid({ section, ssid }: Extract<Order, { set: 'ssid' }>): void {
    const { ssidAt, ssid: former } = this.#interface(section)
    if (this.#isDone(ssidAt)) return
    this.apply.push(setCommand(ssidAt, quoted(ssid)))
    this.restore.push(setCommand(ssidAt, quoted(former)))
  }

  #setPassword({ account, secret, former }: Extract<Order, { set: 'password' }>): void {
    if (former === undefined)
      throw new ConflictError(
        'old-password-unknown',
        `RouterOS shows no passwords, and that of ${account} is not recorded: it could not be put back`,
        { suggestions: ['record it: cleverctl router add CODE --replace --password-file FILE'] },
      )
    const kept = this.#keep(quoted(former.reveal()))
    const set = (value: string) => `/user set [find name=${quoted(account)}] password=${value}`
    this.apply.push(set(quoted(secret.reveal())))
    this.restore.push(ifKept(kept, set(valueOf(kept))))
  }

  /** The former passphrase goes into the group as well: what a group does to the profile's own is not documented. */
  #addExtra({ secret, beside }: Extract<Order, { add: 'extra' }>): void {
    const menu = this.#extraMenu()
    for (const section of beside) {
      const { group, groupAt, passphraseAt } = this.#interface(section)
      const [at] = passphraseAt
      if (groupAt === undefined || at === undefined || this.#isDone(groupAt)) continue
      this.#refuseShared(section, at)
      const name = group === '' ? EXTRA_COMMENTS.next : group
      if (!this.#done.has(`group ${name}`)) {
        this.#done.add(`group ${name}`)
        const add = (passphrase: string, comment: string) =>
          `${menu} add group=${quoted(name)} passphrase=${passphrase} comment=${comment}`
        this.apply.push(
          add(getCommand(at), EXTRA_COMMENTS.former),
          add(quoted(secret.reveal()), EXTRA_COMMENTS.next),
        )
      }
      if (group !== '') continue
      this.apply.push(setCommand(groupAt, quoted(name)))
      this.restore.push(unsetCommand(groupAt))
    }
    this.restore.push(...removeExtras(menu))
  }

  #addWifi({ section, like, ssid, secret }: Extract<Order, { add: 'wifi' }>): void {
    const { second } = this.#interface(like)
    if (second === undefined)
      throw new ConflictError(
        'overlap-impossible',
        `no Wi-Fi can be put beside ${like}: ${NOWHERE}`,
      )
    const { menu, profile, port } = second
    const passphrase = second.passphraseFields.map((field) => [field, secret.reveal()])
    const named = (fields: Fields) => ({ name: section, ...fields })
    const secrets = Object.fromEntries(passphrase) as Fields
    if (profile) this.apply.push(addCommand(profile.menu, named({ ...profile.fields, ...secrets })))
    const own = profile ? { 'security-profile': section } : secrets
    const fields = { ...second.fields, ...own, [second.ssidField]: ssid, disabled: 'no' }
    this.apply.push(addCommand(menu, named(fields)))
    if (port) this.apply.push(addCommand(PORTS, { interface: section, ...port }))
    this.restore.push(...removeWifi(section, menu, profile?.menu))
  }

  #remove({ section }: Extract<Order, { remove: string }>): void {
    const second = this.#wifi.interfaces.find(({ name }) => name === section)
    if (second === undefined) return this.#removeExtra()
    const { ssidAt, passphraseAt } = second
    const { menu } = ssidAt
    const set = (disabled: string) =>
      `${menu} set [find name=${quoted(section)}] disabled=${disabled}`
    this.apply.push(set('yes'))
    this.restore.push(set('no'))
    const profiles = passphraseAt.map((at) => at.menu).find((each) => each !== menu)
    this.finish.push(...removeWifi(section, menu, profiles))
  }

  #removeExtra(): void {
    const menu = this.#extraMenu()
    const switchAll = (disabled: string) =>
      Object.values(EXTRA_COMMENTS).map(
        (comment) => `${menu} set [find comment=${comment}] disabled=${disabled}`,
      )
    this.apply.push(...switchAll('yes'))
    this.restore.push(...switchAll('no'))
    this.finish.push(...removeExtras(menu))
    for (const { group, groupAt } of this.#wifi.interfaces)
      if (group === EXTRA_COMMENTS.next && groupAt && !this.#isDone(groupAt))
        this.finish.push(unsetCommand(groupAt))
  }

  /** Puts a value aside. @returns under which name */
  #keep(value: string): string {
    const name = `${PREFIX}${this.stash.length + 1}`
    this.stash.push(`/ppp secret add name=${name} disabled=yes password=${value}`)
    return name
  }

  #interface(section: string): RosInterface {
    const found = this.#wifi.interfaces.find(({ name }) => name === section)
    if (found) return found
    throw new ConflictError('wifi-not-found', `the interface ${section} is not there any more`)
  }

  #extraMenu(): string {
    const { extraMenu } = this.#wifi
    if (extraMenu !== undefined) return extraMenu
    throw new ConflictError('overlap-impossible', 'this RouterOS has no further passphrases')
  }

  #isDone({ menu, name, field }: Place): boolean {
    const key = `${menu} ${name} ${field}`
    const isDone = this.#done.has(key)
    this.#done.add(key)
    return isDone
  }

  /** A profile that another Wi-Fi uses would change that one too. */
  #refuseShared(section: string, at: Place): void {
    const other = this.#wifi.interfaces.find(
      ({ name, passphraseAt }) =>
        !this.#sections.includes(name) &&
        passphraseAt.some((each) => each.menu === at.menu && each.name === at.name),
    )
    if (other === undefined) return
    throw new ConflictError(
      'profile-shared',
      `${section} has its passphrase from the profile ${at.name}, which ${other.name} uses too`,
      { suggestions: ['give each of them a profile of its own first'] },
    )
  }
}

function setCommand({ menu, name, field }: Place, value: string): string {
  return `${menu} set [find name=${quoted(name)}] ${field}=${value}`
}

function getCommand({ menu, name, field }: Place): string {
  return `[${menu} get [find name=${quoted(name)}] ${field}]`
}

function unsetCommand({ menu, name, field }: Place): string {
  return `${menu} unset [find name=${quoted(name)}] ${field}`
}

function addCommand(menu: string, fields: Fields): string {
  const words = Object.entries(fields).map(([field, value]) => `${field}=${quoted(value)}`)
  return `${menu} add ${words.join(' ')}`
}

/** @param profiles where it has a profile of its own */
function removeWifi(name: string, menu: string, profiles: string | undefined): string[] {
  return [
    `${PORTS} remove [find interface=${quoted(name)}]`,
    ...[menu, ...(profiles === undefined ? [] : [profiles])].map(
      (each) => `${each} remove [find name=${quoted(name)}]`,
    ),
  ]
}

function removeExtras(menu: string): string[] {
  return Object.values(EXTRA_COMMENTS).map((comment) => `${menu} remove [find comment=${comment}]`)
}

const valueOf = (kept: string) => `[/ppp secret get [find name=${kept}] password]`

/** Once it is put back, what was put aside is removed; a second run must not mind. */
function ifKept(kept: string, command: string): string {
  return `:if ([:len [/ppp secret find name=${kept}]] > 0) do={${command}}`
}
