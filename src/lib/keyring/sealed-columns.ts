/** A column of sealed values. */
export interface SealedColumn {
  table: string
  column: string
  /** Text column that identifies the row. */
  id: string
  /** What the rows are; a value is sealed as `kind:id`. */
  kind: string
}

/**
 * Every column that holds sealed values. A column that is missing here is not sealed anew by
 * `keyring rotate`, and then cannot be opened; give it the trigger refuse_retired_key, too.
 */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  { table: 'cleverctl.signing_key', column: 'sealed_private', id: 'kid', kind: 'signing-key' },
  { table: 'cleverctl.api_key', column: 'sealed', id: 'key_id', kind: 'api-key' },
  {
    table: 'cleverctl.router_credential',
    column: 'sealed',
    id: 'credential_id',
    kind: 'router-credential',
  },
  { table: 'cleverctl.router_pepper', column: 'sealed', id: 'id', kind: 'router-pepper' },
  { table: 'cleverctl.host', column: 'sealed', id: 'identity_id', kind: 'host-identity' },
  {
    table: 'cleverctl.backup_repository',
    column: 'sealed',
    id: 'passphrase_id',
    kind: 'backup-repository',
  },
  { table: 'cleverctl.access_ca', column: 'sealed', id: 'id', kind: 'access-ca' },
]
