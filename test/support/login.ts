import pg from 'pg'

/** What a login over TLS proves itself by. */
export type Proof = { password: string } | { cert: string; key: string }

/** A client that logs in to a server on this machine over TLS; not connected yet. */
export function tlsClient(login: {
  port: number
  role: string
  proof: Proof
  database: string
}): pg.Client {
  const { port, role, proof, database } = login
  const isPassword = 'password' in proof
  const client = new pg.Client({
    ...{ host: 'localhost', port, user: role, database },
    ...(isPassword ? proof : {}),
    ssl: { rejectUnauthorized: false, ...(isPassword ? {} : proof) },
  })
  client.on('error', () => undefined)
  return client
}

/** Whether a server on this machine lets a role in over TLS. */
export async function isLetIn(login: Parameters<typeof tlsClient>[0]): Promise<boolean> {
  const client = tlsClient(login)
  try {
    await client.connect()
  } catch {
    // Whoever ends a client that never came so far may wait for ever.
    return false
  }
  await client.end()
  return true
}
