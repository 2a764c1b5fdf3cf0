import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'

/** A COPY under way. Its connection answers nothing else until `end` or `abort`. */
export class DeviceCopy {
  readonly #stream: Writable
  #failure: Error | undefined

  constructor(stream: Writable) {
    this.#stream = stream
    stream.on('error', (error: Error) => {
      this.#failure ??= error
    })
  }

  /** Sends rows; done when the connection has taken them over. Throws what ended the COPY. */
  async write(text: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure)
      // The stream forgets its callbacks when the server refuses the rows.
      this.#stream.once('error', reject)
      this.#stream.write(text, () => {
        this.#stream.off('error', reject)
        resolve()
      })
    })
  }

  /** Ends the COPY; its rows are there for the next statement. Throws what the server found wrong with them. */
  async end(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    this.#stream.end()
    await finished(this.#stream)
  }

  /** Gives the COPY up. The transaction can only be rolled back then. */
  async abort(): Promise<void> {
    // After an error of the server the stream has no connection any more.
    if (this.#failure !== undefined) return
    const closed = once(this.#stream, 'close')
    this.#stream.destroy()
    await closed
  }
}
