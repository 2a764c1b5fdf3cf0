import { inspect } from 'node:util'

const MASK = '[secret]'

/**
 * A value that must not be printed by accident: a key, a token, a password.
 *
 * Whatever turns an object into text (template strings, JSON, console, a debugger's inspect) gets
 * `[secret]`; only `reveal()` gives the value, so a search for `.reveal(` finds every place where
 * a secret leaves its wrapper.
 */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The value itself. Call it where the secret is used and nowhere earlier. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return MASK
  }

  toJSON(): string {
    return MASK
  }

  [inspect.custom](): string {
    return MASK
  }
}
