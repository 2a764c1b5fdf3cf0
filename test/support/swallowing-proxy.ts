import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'

/** A way over TCP that can fall silent: connections stay open, and nothing that is sent on them arrives. */
export interface SwallowingProxy {
  port: number
  /** Swallows from now on, on old and new connections; the old ones never come back. */
  swallow(): void
  /** New connections work again. */
  restore(): void
  stop(): Promise<void>
}

/** Starts a proxy of 127.0.0.1 before a port of it. */
export async function startSwallowingProxy(target: number): Promise<SwallowingProxy> {
  const sockets = new Set<Socket>()
  let isSilent = false
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  }
  const server = createServer((near) => {
    keep(near)
    if (isSilent) {
      near.resume()
      return
    }
    const far = connect(target, '127.0.0.1')
    keep(far)
    near.pipe(far)
    far.pipe(near)
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    swallow: () => {
      isSilent = true
      for (const socket of sockets) {
        socket.unpipe()
        socket.removeAllListeners('data')
        socket.removeAllListeners('end')
        socket.resume()
      }
    },
    restore: () => {
      isSilent = false
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
