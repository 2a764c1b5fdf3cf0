import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { SshSession } from './session.js'

/** A unix socket here that leads to one of a host. */
export interface Tunnel {
  /** The folder of the socket, which this account alone may enter. */
  folder: string
  /** Ends all connections through it and removes the folder; the session stays open. */
  close(): Promise<void>
}

/**
 * Makes a unix socket in a new private folder, for programs that know how to use one. Each connection to it is one
 * to the host's socket; where the host refuses it, the connection ends at once.
 * @param given.path the socket on the host
 * @param given.name the name of the socket here
 * @param given.onRefused hears why
 */
export async function openTunnel(
  session: SshSession,
  given: { path: string; name: string; onRefused: (reason: Error) => void },
): Promise<Tunnel> {
  const folder = await mkdtemp(join(tmpdir(), 'cleverctl-tunnel-'))
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.once('close', () => sockets.delete(socket)))
    socket.on('error', () => undefined)
    connect(socket).catch((error: unknown) => {
      if (error instanceof Error) given.onRefused(error)
      socket.destroy()
    })
  })
  const connect = async (socket: Socket): Promise<void> => {
    const far = await session.openUnixSocket(given.path)
    far.on('error', () => undefined)
    // Either side ends the other; how is heard by whoever uses the connection.
    void pipeline(socket, far, socket).catch(() => socket.destroy())
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(join(folder, given.name), resolve)
  })
  return {
    folder,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      await rm(folder, { recursive: true, force: true })
    },
  }
}
