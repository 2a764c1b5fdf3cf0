import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Knows which connections have a request under way. When node's server closes it waits for all others
 * too, for ever: for those that never finish their handshake and those that never send a word.
 */
export class Connections {
  readonly #open = new Map<string, Set<Socket>>()
  readonly #busy = new Map<string, number>()
  #isClosing = false

  /** @param server before it listens */
  constructor(server: Server) {
    // A TLS connection comes twice: as it is accepted, and when its handshake is done.
    server.on('connection', (socket: Socket) => this.#add(socket))
    server.on('secureConnection', (socket: Socket) => this.#add(socket))
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const name = nameOf(request.socket)
      this.#busy.set(name, (this.#busy.get(name) ?? 0) + 1)
      response.once('close', () => this.#finish(name))
    })
  }

  /** Ends every connection that has no request under way, and each of the others after its answer. */
  closeIdle(): void {
    this.#isClosing = true
    for (const name of this.#open.keys()) if (!this.#busy.has(name)) this.#end(name)
  }

  #add(socket: Socket): void {
    const name = nameOf(socket)
    const sockets = this.#open.get(name) ?? new Set()
    this.#open.set(name, sockets.add(socket))
    socket.once('close', () => {
      sockets.delete(socket)
      if (sockets.size === 0) this.#open.delete(name)
    })
    if (this.#isClosing) socket.destroy()
  }

  #finish(name: string): void {
    const left = (this.#busy.get(name) ?? 1) - 1
    if (left > 0) this.#busy.set(name, left)
    else {
      this.#busy.delete(name)
      if (this.#isClosing) this.#end(name)
    }
  }

  #end(name: string): void {
    // The later one of a TLS connection takes the other along, after what it still has to send.
    const sockets = [...(this.#open.get(name) ?? [])]
    sockets.at(-1)?.destroySoon()
  }
}

/** Both ends of a TLS connection's two sockets have the same peer. */
function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
