import { setTimeout as sleep } from 'node:timers/promises'
import { MENUS, type Flavour, type Menu } from './menus.js'
import {
  readScript,
  RosError,
  RosSyntaxError,
  secondsOf,
  textOf,
  type Fields,
  type MenuCommand,
  type Menus,
  type Value,
} from './script.js'

/** What a user may do, as far as it matters here. */
const POLICIES = ['read', 'write', 'policy', 'test', 'sensitive']
/** How long after a start what is to run at a start runs. */
const STARTUP_SECONDS = 3

/** The router loses its power: nothing that was under way goes on. */
class PowerCut extends Error {}

/**
 * The console of a router that runs RouterOS, as its documentation describes it: menus with items, a language for
 * scripts, a scheduler. Whatever is set is kept at once and outlives a power cut; there is no commit.
 */
export class RosConsole implements Menus {
  /** Items by menu. */
  readonly tables = new Map<string, Fields[]>()
  /** Interfaces that do not come on air. */
  deadRadios = new Set<string>()
  /** Is told of each command that changes something, before it does; what it throws ends the script. */
  onChange: ((command: MenuCommand) => void) | undefined
  /** Policies that the users have. */
  policies: readonly string[] = POLICIES
  readonly log: string[] = []
  readonly #menus: Readonly<Record<string, Menu>>
  readonly #speed: number
  #numbers = 0
  #life = new AbortController()
  readonly #timers = new Map<string, NodeJS.Timeout>()

  /** @param speed so many seconds of the router pass in one */
  constructor(flavour: Flavour, speed: number) {
    this.#menus = MENUS[flavour]
    this.#speed = speed
    for (const [path, { isSettings }] of Object.entries(this.#menus))
      this.tables.set(path, isSettings ? [new Map<string, Value>()] : [])
  }

  /** Carries out a line. @returns what it prints, its errors included; undefined when the power went */
  async execute(line: string): Promise<string | undefined> {
    const said: string[] = []
    try {
      await this.#carryOut(line, (text) => said.push(text))
    } catch (error) {
      if (error instanceof PowerCut) return undefined
      if (!(error instanceof RosError || error instanceof RosSyntaxError)) throw error
      said.push(error.message)
    }
    return said.map((each) => `${each}\r\n`).join('')
  }

  async #carryOut(line: string, put: (text: string) => void): Promise<void> {
    const { signal } = this.#life
    const script = readScript(line, this)
    await script({
      menus: this,
      put,
      log: (text) => this.log.push(text),
      delay: (seconds) => this.#delay(seconds, signal),
      step: async () => {
        await new Promise((resolve) => setImmediate(resolve))
        if (signal.aborted) throw new PowerCut()
      },
    })
  }

  /** Adds an item as it is, without a command. */
  add(menu: string, fields: Readonly<Record<string, Value>>): string {
    const id = `*${(this.#numbers += 1).toString(16).toUpperCase()}`
    this.items(menu).push(new Map([['.id', id], ...Object.entries(fields)]))
    return id
  }

  set(menu: string, fields: Readonly<Record<string, Value>>): void {
    const [item] = this.items(menu)
    for (const [name, value] of Object.entries(fields)) item?.set(name, value)
  }

  items(menu: string): Fields[] {
    const items = this.tables.get(menu)
    if (items === undefined) throw new Error(`no menu ${menu}`)
    return items
  }

  named(menu: string, name: string): Fields | undefined {
    return this.items(menu).find((item) => item.get('name') === name)
  }

  /** The power goes, and comes back at once. What ran is gone; what is set stays. */
  reboot(): void {
    this.off()
    this.#life = new AbortController()
    for (const item of this.items('/system scheduler')) {
      this.#schedule(item)
      // By the documentation, an item with an interval does not run at a start.
      const isForStart = item.get('start-time') === 'startup' && this.#interval(item) === 0
      if (isForStart && item.get('disabled') !== true)
        this.#later(`${textOf(item.get('.id'))} start`, STARTUP_SECONDS, () => this.#fire(item))
    }
  }

  /** Ends all that runs and waits. */
  off(): void {
    this.#life.abort()
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
  }

  isMenu(path: string): boolean {
    return path in this.#menus
  }
  isPrefix(path: string): boolean {
    return Object.keys(this.#menus).some((each) => each === path || each.startsWith(`${path} `))
  }

  check({ menu, verb, fields, column }: Parameters<Menus['check']>[0]): void {
    const known = [...(this.#menus[menu]?.fields ?? []), '.id']
    const unknown = fields.find((field) => !known.includes(field))
    if (unknown === undefined) return
    const problem =
      verb === 'get' ? 'input does not match any value of value-name' : 'expected end of command'
    throw new RosSyntaxError(`${problem} (line 1 column ${column})`)
  }

  async run(command: MenuCommand): Promise<Value> {
    const { menu, verb, plain, named } = command
    const items = this.items(menu)
    const { isSettings, isUnique, sensitive = [] } = this.#menus[menu] ?? { fields: [] }
    if (verb === 'find')
      return items.filter((item) => isMatch(item, command)).map((item) => item.get('.id'))
    if (verb === 'print') {
      const seen = items.map(
        (item) => new Map([...item].filter(([field]) => !sensitive.includes(field))),
      )
      return isSettings ? seen[0] : seen
    }
    if (verb === 'run') {
      const [name] = plain
      const script = this.named(menu, textOf(name))
      if (script === undefined) throw new RosError('no such item')
      await this.#carryOut(textOf(script.get('source')), () => undefined)
      return undefined
    }
    const chosen = isSettings || verb === 'add' ? items : this.#chosen(items, plain[0])
    if (verb === 'get') {
      const [item] = chosen
      const field = textOf(plain[isSettings ? 0 : 1])
      if (item === undefined) throw new RosError('no such item')
      const isHidden = menu === '/user' && field === 'password'
      if (sensitive.includes(field) && (isHidden || !this.policies.includes('sensitive')))
        throw new RosError('not enough permissions (9)')
      return item.get(field)
    }
    if (verb === 'monitor') return this.#monitor(menu, chosen)
    if (!this.policies.includes('write')) throw new RosError('not enough permissions (9)')
    this.onChange?.(command)
    if (this.#life.signal.aborted) throw new PowerCut()
    const name = named.get('name')
    const isTaken = (but?: Fields) =>
      isUnique &&
      name !== undefined &&
      items.some((item) => item !== but && item.get('name') === name)
    if (verb === 'add') {
      if (isTaken()) throw new RosError('failure: already have such name')
      const id = this.add(menu, Object.fromEntries(normal(named)))
      if (menu === '/system scheduler') this.#schedule(items.at(-1) as Fields)
      return id
    }
    for (const item of chosen) {
      if (isTaken(item)) throw new RosError('failure: already have such name')
      if (verb === 'unset') item.delete(textOf(plain[1]))
      else if (verb === 'remove') items.splice(items.indexOf(item), 1)
      else for (const [field, value] of normal(named)) item.set(field, value)
    }
    return undefined
  }

  /** Items by their numbers or names; a list that is empty is none, and no error. */
  #chosen(items: readonly Fields[], given: Value): Fields[] {
    const wanted = Array.isArray(given) ? (given as readonly Value[]) : [given]
    return wanted.map((each) => {
      const item = items.find((one) => one.get('.id') === each || one.get('name') === each)
      if (item === undefined) throw new RosError('no such item')
      return item
    })
  }

  #monitor(menu: string, [item]: readonly Fields[]): Fields {
    const name = textOf(item?.get('name'))
    const isUp = item?.get('disabled') !== true && !this.deadRadios.has(name)
    const [field, up] =
      menu === '/interface wireless' ? ['status', 'running-ap'] : ['state', 'running']
    return new Map([[field, isUp ? up : 'disabled']])
  }

  async #delay(seconds: number, signal: AbortSignal): Promise<void> {
    try {
      await sleep((seconds * 1000) / this.#speed, undefined, { signal })
    } catch {
      throw new PowerCut()
    }
  }

  #interval(item: Fields): number {
    return secondsOf(textOf(item.get('interval') ?? 0))
  }

  #schedule(item: Fields): void {
    const id = textOf(item.get('.id'))
    const interval = this.#interval(item)
    if (interval === 0 || item.get('disabled') === true) return
    this.#later(id, interval, () => {
      this.#schedule(item)
      this.#fire(item)
    })
  }

  #later(key: string, seconds: number, act: () => void): void {
    this.#timers.set(key, setTimeout(act, (seconds * 1000) / this.#speed))
  }

  #fire(item: Fields): void {
    if (!this.items('/system scheduler').includes(item)) return
    const event = textOf(item.get('on-event'))
    const source = textOf(this.named('/system script', event)?.get('source') ?? event)
    void this.execute(source).then((said) => {
      if (said) this.log.push(`${event}: ${said}`)
    })
  }
}

/** `yes` and `no` are kept as what they mean. */
function normal(named: ReadonlyMap<string, Value>): [string, Value][] {
  return [...named].map(([field, value]) => [
    field,
    value === 'yes' ? true : value === 'no' ? false : value,
  ])
}

function isMatch(item: Fields, { matches }: MenuCommand): boolean {
  return matches.every(({ field, operator, value }) => {
    const [is, wanted] = [item.get(field), value].map((each) =>
      each === true ? 'yes' : each === false ? 'no' : textOf(each),
    ) as [string, string]
    return operator === '=' ? is === wanted : new RegExp(wanted).test(is)
  })
}
