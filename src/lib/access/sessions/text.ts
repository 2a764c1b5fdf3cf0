/** A record longer than this is looked at only at its beginning. */
export const MAX_RECORD = 1024 * 1024

/** Text of one character a byte, as text. Bytes that are no UTF-8 become U+FFFD. */
export function decode(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

/** Finds a word again and again without looking twice at what lies between. */
export class Needle {
  readonly #word: string
  #at = -1

  constructor(word: string) {
    this.#word = word
  }

  /** Another text comes. */
  reset(): void {
    this.#at = -1
  }

  /** Where the word stands at or after `from`; Infinity where it does not. */
  next(text: string, from: number): number {
    if (this.#at < from) {
      const found = text.indexOf(this.#word, from)
      this.#at = found === -1 ? Number.POSITIVE_INFINITY : found
    }
    return this.#at
  }

  /** The same, behind the word. */
  after(text: string, from: number): number {
    return this.next(text, from) + this.#word.length
  }
}

/** Whether a record that begins with this is about a connection, or about the server's own life. */
export function isOfInterest(text: string, at: number): boolean {
  switch (text.charCodeAt(at)) {
    case 0x63: // c
      return text.startsWith('connection received: ', at) || text.startsWith('connection auth', at)
    case 0x64: // d
      return (
        text.startsWith('disconnection: ', at) ||
        text.startsWith('database system is ready to accept', at)
      )
    case 0x72: // r
      return text.startsWith('replication connection authorized: ', at)
    default:
      return false
  }
}
