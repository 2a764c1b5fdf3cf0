import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Knows the connections that never sent a request. When node's server closes it ends those that rest
 * between two requests, but for these it waits: for handshakes that are never finished, too.
 */
export class SilentConnections {
  readonly #silent = new Map<string, Socket>()
  readonly #names = new WeakMap<Socket, string>()
  #isClosing = false

  /** @param server before it listens */
  constructor(server: Server) {
    // A TLS connection comes twice, by the same name: as it is accepted, and when its handshake is done.
    server.on('connection', (socket: Socket) => this.#add(socket))
    server.on('secureConnection', (socket: Socket) => this.#add(socket))
  }

  /** Ends all of them, and those that are still to come. */
  close(): void {
    this.#isClosing = true
    for (const socket of this.#silent.values()) socket.destroy()
  }

  /** Tells that a request came over a connection. */
  heard(socket: Socket): void {
    const name = this.#names.get(socket)
    if (name === undefined) return
    this.#names.delete(socket)
    this.#silent.delete(name)
  }

  #add(socket: Socket): void {
    const name = `${socket.remoteAddress} ${socket.remotePort}`
    this.#silent.set(name, socket)
    this.#names.set(socket, name)
    socket.once('close', () => {
      if (this.#silent.get(name) === socket) this.#silent.delete(name)
    })
    if (this.#isClosing) socket.destroy()
  }
}
