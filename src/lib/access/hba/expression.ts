/**
 * Whether a name matches an expression of pg_hba.conf, as PostgreSQL 16 reads it: an advanced regular expression,
 * found anywhere in the name, in the collation C (regcomp_auth_token of hba.c). Translated is what is the same in
 * JavaScript: characters, `.`, `^`, `$`, groups, branches, quantifiers, brackets with classes, \d \w \s.
 * Sources: https://www.postgresql.org/docs/16/auth-pg-hba-conf.html,
 * https://www.postgresql.org/docs/16/functions-matching.html#FUNCTIONS-POSIX-REGEXP
 * @returns undefined where the expression holds anything else, or could take long: that is not known here
 */
export function matchesExpression(expression: string, name: string): boolean | undefined {
  const pattern = translate(expression)
  return pattern === undefined ? undefined : pattern.test(name)
}

/** Translates once: a rule is asked about many names. */
const translated = new Map<string, RegExp | undefined>()
const MOST_KEPT = 1000

function translate(expression: string): RegExp | undefined {
  if (translated.has(expression)) return translated.get(expression)
  if (translated.size >= MOST_KEPT) translated.clear()
  const pattern = new Translation(expression).pattern()
  translated.set(expression, pattern)
  return pattern
}

const CLASSES: Record<string, string> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: ' \\t\\n\\v\\f\\r',
  blank: ' \\t',
  xdigit: '0-9A-Fa-f',
}
const ESCAPES: Record<string, string> = {
  d: CLASSES['digit'] ?? '',
  w: `${CLASSES['alnum']}_`,
  s: CLASSES['space'] ?? '',
}
/** PostgreSQL looks along all ways at once, JavaScript along one after the other: more could take very long. */
const MOST_QUANTIFIERS = 3
/** DUPMAX of PostgreSQL. */
const MOST_REPETITIONS = 255

/** An expression on its way into one of JavaScript. */
class Translation {
  readonly #text: string
  #at = 0
  #quantifiers = 0

  constructor(text: string) {
    this.#text = text
  }

  pattern(): RegExp | undefined {
    const source = this.#branches()
    if (source === undefined || this.#at < this.#text.length) return undefined
    if (this.#quantifiers > MOST_QUANTIFIERS) return undefined
    try {
      return new RegExp(source, 'su')
    } catch {
      return undefined
    }
  }

  /** Up to the end or the bracket that closes a group. */
  #branches(): string | undefined {
    let source = ''
    let isQuantifiable = false
    while (this.#at < this.#text.length && this.#text[this.#at] !== ')') {
      const before = this.#quantifiers
      const quantifier = this.#quantifier()
      if (quantifier !== undefined) {
        if (!isQuantifiable || quantifier === '') return undefined
        this.#quantifiers += 1
        source += quantifier
        isQuantifiable = false
        continue
      }
      const start = this.#at
      const atom = this.#atom()
      if (atom === undefined) return undefined
      source += atom
      const isAnchor = atom === '^' || atom === '$' || atom === '|'
      // Repeated ways through a group multiply.
      const isManifold =
        this.#text[start] === '(' && (this.#quantifiers > before || atom.includes('|'))
      isQuantifiable = !isAnchor && !isManifold
    }
    return source
  }

  /** @returns undefined where there is none, and nothing where it is none of PostgreSQL's */
  #quantifier(): string | undefined {
    const [text = '', sign, from, comma, to] =
      /^(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/.exec(this.#text.slice(this.#at)) ?? []
    if (text === '') return undefined
    this.#at += text.length
    if (sign !== undefined) return sign
    const [least, most] = [Number(from), to === '' ? Number(from) : Number(to)]
    if (least > most || most > MOST_REPETITIONS || (comma === '' && to !== '')) return ''
    return `{${least}${comma}${to}}`
  }

  #atom(): string | undefined {
    const sign = this.#text[this.#at] ?? ''
    if (sign === '(') return this.#group()
    if (sign === '[') return this.#bracket()
    if (sign === '\\') return this.#escape((set) => `[${set}]`)
    // A brace that begins no number is a character; with one it would have been a quantifier.
    if (sign === '{' && /^\{\d/.test(this.#text.slice(this.#at))) return undefined
    this.#at += 1
    return '.^$|'.includes(sign) ? sign : this.#literal(sign)
  }

  #group(): string | undefined {
    this.#at += this.#text.startsWith('(?:', this.#at) ? 3 : 1
    // (?=, (?<, (?i and their like, and a quantifier of nothing.
    if ('?*+{'.includes(this.#text[this.#at] ?? ')')) return undefined
    const inside = this.#branches()
    if (inside === undefined || this.#text[this.#at] !== ')') return undefined
    this.#at += 1
    return `(?:${inside})`
  }

  /** @param wrap what is made of a set of characters */
  #escape(wrap: (set: string) => string): string | undefined {
    const sign = this.#text[this.#at + 1] ?? ''
    const set = ESCAPES[sign]
    if (set === undefined && !/^[^A-Za-z0-9]$/.test(sign)) return undefined
    this.#at += 2
    return set === undefined ? this.#literal(sign) : wrap(set)
  }

  #bracket(): string | undefined {
    const isNegated = this.#text[this.#at + 1] === '^'
    this.#at += isNegated ? 2 : 1
    const start = this.#at
    let set = ''
    while (this.#text[this.#at] !== ']' || this.#at === start) {
      const item = this.#bracketItem()
      if (item === undefined) return undefined
      set += item
    }
    this.#at += 1
    return `[${isNegated ? '^' : ''}${set}]`
  }

  #bracketItem(): string | undefined {
    const rest = this.#text.slice(this.#at)
    const [named, name = ''] = /^\[:([a-z]+):\]/.exec(rest) ?? []
    if (named !== undefined) {
      this.#at += named.length
      return CLASSES[name]
    }
    if (rest.startsWith('\\')) return this.#escape((set) => set)
    const [range, from = '', to = ''] = /^([A-Za-z0-9])-([A-Za-z0-9])/.exec(rest) ?? []
    if (range !== undefined) {
      this.#at += range.length
      return from <= to ? range : undefined
    }
    const sign = rest[0]
    // A dash is itself at an end; elsewhere it makes a range of characters that are rarely meant.
    const isDashInside = rest[1] === '-' && rest[2] !== ']'
    if (sign === undefined || sign === '[' || isDashInside) return undefined
    if (sign === '-' && rest[1] !== ']') return undefined
    this.#at += 1
    return this.#literal(sign)
  }

  /** One character as itself. Those beyond the basic plane come in halves, which are no characters. */
  #literal(sign: string): string | undefined {
    if (/[\ud800-\udfff]/.test(sign)) return undefined
    return /[\^$\\.*+?()[\]{}|/-]/.test(sign)
      ? `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`
      : sign
  }
}
