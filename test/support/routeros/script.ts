/** What a script of RouterOS handles. */
export type Value = string | number | boolean | undefined | readonly Value[] | Fields
/** An item, or the settings of a menu. */
export type Fields = Map<string, Value>

/** An error that `on-error` catches. */
export class RosError extends Error {}
/** An error that is found while a line is read, before any of it is carried out. */
export class RosSyntaxError extends Error {}

/** A command of a menu, with its arguments. */
export interface MenuCommand {
  menu: string
  verb: string
  /** Values without a name. */
  plain: readonly Value[]
  named: ReadonlyMap<string, Value>
  /** Of `find`: what has to match. */
  matches: readonly { field: string; operator: '=' | '~'; value: Value }[]
}

/** What menus there are, and what they do. */
export interface Menus {
  /** Throws RosSyntaxError for what this RouterOS does not have. */
  check(command: { menu: string; verb: string; fields: readonly string[]; column: number }): void
  isMenu(path: string): boolean
  isPrefix(path: string): boolean
  run(command: MenuCommand): Promise<Value> | Value
}

/** What a script does to the world. */
export interface Effects {
  menus: Menus
  put(text: string): void
  log(text: string): void
  delay(seconds: number): Promise<void>
  /** Called before each statement; throws to end it all. */
  step(): Promise<void>
}

type Run = (scope: Scope) => Promise<Value>

class Scope {
  readonly #values = new Map<string, Value>()
  constructor(
    readonly effects: Effects,
    readonly outer?: Scope,
  ) {}
  define(name: string, value: Value): void {
    this.#values.set(name, value)
  }
  find(name: string): Map<string, Value> | undefined {
    return this.#values.has(name) ? this.#values : this.outer?.find(name)
  }
}

const VERBS = ['find', 'get', 'set', 'add', 'remove', 'print', 'monitor', 'run', 'unset']
const KEYWORDS = ['where', 'once', 'as-value']

/**
 * Reads a script as RouterOS does: whole, before the first command runs; then it can be run.
 * @throws RosSyntaxError
 */
export function readScript(text: string, menus: Menus): (effects: Effects) => Promise<void> {
  const reader = new Reader(text, menus)
  const run = reader.block('')
  return async (effects) => void (await run(new Scope(effects)))
}

class Reader {
  #at = 0
  #menu = ''
  constructor(
    readonly text: string,
    readonly menus: Menus,
  ) {}

  block(end: string): Run {
    const statements: Run[] = []
    for (;;) {
      this.#skip(/[\s;]*/y)
      if (this.#at >= this.text.length) {
        if (end === '') break
        throw this.#wrong('syntax error')
      }
      if (end !== '' && this.#take(end)) break
      statements.push(this.#statement())
    }
    return async (outer) => {
      const scope = new Scope(outer.effects, outer)
      for (const statement of statements) {
        await scope.effects.step()
        await statement(scope)
      }
      return undefined
    }
  }

  #statement(): Run {
    return this.#take(':') ? this.#builtin() : this.#menuCommand()
  }

  #builtin(): Run {
    const column = this.#at
    const name = this.#word()
    if (name === 'put') {
      const value = this.#value()
      return async (scope) => {
        scope.effects.put(textOf(await value(scope)))
        return undefined
      }
    }
    if (name === 'len' || name === 'tostr') {
      const value = this.#value()
      return async (scope) => {
        const given = await value(scope)
        if (name === 'tostr') return textOf(given)
        return typeof given === 'string' ? given.length : Array.isArray(given) ? given.length : 0
      }
    }
    if (name === 'local' || name === 'set') {
      const variable = this.#word()
      const value = this.#value()
      return async (scope) => {
        const given = await value(scope)
        if (name === 'local') scope.define(variable, given)
        else scope.find(variable)?.set(variable, given)
        return undefined
      }
    }
    if (name === 'error') {
      const value = this.#value()
      return async (scope) => {
        throw new RosError(textOf(await value(scope)))
      }
    }
    if (name === 'log') {
      this.#word()
      const value = this.#value()
      return async (scope) => {
        scope.effects.log(textOf(await value(scope)))
        return undefined
      }
    }
    if (name === 'delay') {
      const value = this.#value()
      return async (scope) => {
        await scope.effects.delay(secondsOf(textOf(await value(scope))))
        return undefined
      }
    }
    if (name === 'if') {
      const condition = this.#value()
      const yes = this.#branch('do')
      const no = this.#peek(/\s*else=/y) ? this.#branch('else') : undefined
      return async (scope) => ((await condition(scope)) === true ? yes(scope) : no?.(scope))
    }
    if (name === 'do') {
      this.#expect('{')
      const body = this.block('}')
      const caught = this.#peek(/\s*on-error=/y) ? this.#branch('on-error') : undefined
      return async (scope) => {
        try {
          return await body(scope)
        } catch (error) {
          if (!(error instanceof RosError) || caught === undefined) throw error
          return caught(scope)
        }
      }
    }
    if (name === 'foreach') {
      const variable = this.#word()
      this.#expect('in=')
      const list = this.#value()
      const body = this.#branch('do')
      return async (outer) => {
        const given = await list(outer)
        for (const each of Array.isArray(given) ? (given as readonly Value[]) : []) {
          const scope = new Scope(outer.effects, outer)
          scope.define(variable, each)
          await body(scope)
        }
        return undefined
      }
    }
    throw this.#wrong(`bad command name ${name}`, column)
  }

  #branch(name: string): Run {
    this.#expect(`${name}=`)
    this.#expect('{')
    return this.block('}')
  }

  #menuCommand(): Run {
    this.#skip(/\s*/y)
    const start = this.#at
    // In brackets, a verb alone is one of the menu around it.
    const [alone] = this.#peek(/find|get/y) ?? []
    let menu = alone === undefined ? '' : this.#menu
    let verb = ''
    while (verb === '') {
      this.#skip(menu === '' ? /\s*/y : /[ /]*/y)
      const column = this.#at
      if (menu === '' && !this.#take('/')) throw this.#wrong('expected command name', start)
      const word = this.#word()
      const longer = menu === '' ? `/${word}` : `${menu} ${word}`
      if (this.menus.isMenu(menu) && VERBS.includes(word)) verb = word
      else if (this.menus.isPrefix(longer)) menu = longer
      else throw this.#wrong(`bad command name ${word}`, column)
    }
    const around = this.#menu
    this.#menu = menu
    const plain: Run[] = []
    const named: { field: string; operator: '=' | '~'; value: Run }[] = []
    while (this.#peek(/[ \t]+[^\s;}\]]/y)) {
      this.#skip(/[ \t]+/y)
      const [, field, operator] = this.#match(/([a-z0-9.-]+)([=~])/y) ?? []
      if (field !== undefined && (operator === '=' || operator === '~'))
        named.push({ field, operator, value: this.#value() })
      else {
        const [, keyword = ''] = this.#peek(/([a-z-]+)(?=[\s;}\]]|$)/y) ?? []
        if (KEYWORDS.includes(keyword)) this.#skip(/[a-z-]+/y)
        else plain.push(this.#value())
      }
    }
    this.#menu = around
    const literal = plain.length > 1 && verb === 'get' ? this.text.slice(start, this.#at) : ''
    const fields = [
      ...named.map(({ field }) => field),
      ...(literal === '' ? [] : [literal.slice(literal.lastIndexOf(' ') + 1)]),
    ]
    this.menus.check({ menu, verb, fields, column: this.#at })
    return async (scope) => {
      const values: Value[] = []
      for (const each of plain) values.push(await each(scope))
      const given: { field: string; operator: '=' | '~'; value: Value }[] = []
      for (const each of named) given.push({ ...each, value: await each.value(scope) })
      return scope.effects.menus.run({
        ...{ menu, verb, plain: values, matches: given },
        named: new Map(given.map(({ field, value }) => [field, value])),
      })
    }
  }

  /** One value: a text, a variable, brackets, or a bare word. */
  #value(): Run {
    this.#skip(/[ \t]*/y)
    if (this.#take('"')) return this.#text()
    if (this.#take('[')) {
      this.#skip(/\s*/y)
      const statement = this.#statement()
      this.#expect(']')
      return statement
    }
    if (this.#take('(')) {
      const value = this.#expression()
      this.#expect(')')
      return value
    }
    if (this.#take('$')) {
      const name = this.#variable()
      return async (scope) => scope.find(name)?.get(name)
    }
    const [word] = this.#match(/[^\s;}\])]+/y) ?? []
    if (word === undefined) throw this.#wrong('expected value')
    return async () => (/^\d+$/.test(word) ? Number(word) : word)
  }

  #expression(): Run {
    let left = this.#value()
    for (;;) {
      const [, operator] = this.#match(/\s*(->|!=|=|\.|&&|and|>)/y) ?? []
      if (operator === undefined) return left
      const [before, right] = [left, this.#value()]
      left = async (scope) => {
        const [a, b] = [await before(scope), await right(scope)]
        switch (operator) {
          case '->':
            return a instanceof Map ? a.get(textOf(b)) : undefined
          case '=':
            return textOf(a) === textOf(b)
          case '!=':
            return textOf(a) !== textOf(b)
          case '>':
            return Number(a) > Number(b)
          case '.':
            return textOf(a) + textOf(b)
          default:
            return a === true && b === true
        }
      }
    }
  }

  /** `$name` in a text is its value; `\` hides it, and writes bytes in hexadecimal. */
  #text(): Run {
    const parts: (Buffer | string)[] = []
    for (;;) {
      const [piece] = this.#match(/[^"\\$]+/y) ?? []
      if (piece !== undefined) parts.push(Buffer.from(piece))
      else if (this.#take('"')) break
      else if (this.#take('\\')) {
        const [hex] = this.#match(/[0-9A-F]{2}/y) ?? []
        if (hex !== undefined) parts.push(Buffer.from(hex, 'hex'))
        else {
          const [one = ''] = this.#match(/["\\$?]/y) ?? []
          if (one === '') throw this.#wrong('syntax error')
          parts.push(Buffer.from(one))
        }
      } else if (this.#take('$')) parts.push(this.#variable())
      else throw this.#wrong('syntax error')
    }
    return async (scope) =>
      Buffer.concat(
        parts.map((part) =>
          typeof part === 'string' ? Buffer.from(textOf(scope.find(part)?.get(part))) : part,
        ),
      ).toString('utf8')
  }

  /** Without hyphens, because `$a->"name"` follows. */
  #variable(): string {
    const [name] = this.#match(/[A-Za-z0-9]+/y) ?? []
    if (name === undefined) throw this.#wrong('syntax error')
    return name
  }

  #word(): string {
    this.#skip(/[ \t]*/y)
    const [word] = this.#match(/[A-Za-z0-9][A-Za-z0-9-]*/y) ?? []
    if (word === undefined) throw this.#wrong('expected end of command')
    return word
  }

  #match(form: RegExp): RegExpExecArray | undefined {
    form.lastIndex = this.#at
    const found = form.exec(this.text) ?? undefined
    if (found) this.#at = form.lastIndex
    return found
  }
  #peek(form: RegExp): RegExpExecArray | undefined {
    form.lastIndex = this.#at
    return form.exec(this.text) ?? undefined
  }
  #skip(form: RegExp): void {
    this.#match(form)
  }
  #take(text: string): boolean {
    const isThere = this.text.startsWith(text, this.#at)
    if (isThere) this.#at += text.length
    return isThere
  }
  #expect(text: string): void {
    this.#skip(/\s*/y)
    if (!this.#take(text)) throw this.#wrong('syntax error')
  }
  #wrong(message: string, at = this.#at): RosSyntaxError {
    return new RosSyntaxError(`${message} (line 1 column ${at + 1})`)
  }
}

/** A value as the console prints it. */
export function textOf(value: Value): string {
  switch (typeof value) {
    case 'undefined':
      return ''
    case 'object':
      return value instanceof Map
        ? [...value].map(([name, each]) => `${name}=${textOf(each)}`).join(';')
        : value.map(textOf).join(';')
    default:
      return String(value)
  }
}

/** `5m`, `2s`, `00:05:00`, or a number of seconds. */
export function secondsOf(text: string): number {
  const [, minutes, seconds] = /^(?:(\d+)m)?(?:(\d+)s?)?$/.exec(text) ?? []
  return Number(minutes ?? 0) * 60 + Number(seconds ?? 0)
}
