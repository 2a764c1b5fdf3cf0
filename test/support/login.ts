import pg from 'pg'

/** Whether a server on this machine lets a role in over TLS with a password. */
export async function isLetIn(login: {
  port: number
  role: string
  password: string
  database: string
}): Promise<boolean> {
  const { port, role, password, database } = login
  const client = new pg.Client({
    ...{ host: 'localhost', port, user: role, password, database },
    ssl: { rejectUnauthorized: false },
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}
