import type { Queryable } from '../../database/database.js'

/** TLS of a server, as its settings have it. */
export interface ServerTls {
  isOn: boolean
  /** ssl_ca_file; null where it is not set. */
  authorities: string | null
  /** ssl_crl_file; null where it is not set. */
  revocations: string | null
}

/** Reads it. */
export async function selectTls(server: Queryable): Promise<ServerTls> {
  const { rows } = await server.query<ServerTls>(
    `select current_setting('ssl') = 'on' as "isOn", nullif(current_setting('ssl_ca_file'), '') as authorities,
       nullif(current_setting('ssl_crl_file'), '') as revocations`,
  )
  if (!rows[0]) throw new Error('the server says nothing about its settings')
  return rows[0]
}
