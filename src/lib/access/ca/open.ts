import type { Queryable } from '../../database/database.js'
import { NotFoundError } from '../../errors.js'
import type { Workspace } from '../../workspace.js'
import { openAuthority, type Authority } from './authority.js'
import { selectCa, selectSealedCa } from './store.js'
import type { CaRow } from './types.js'

/** What a sealed key is bound to: moved to another authority's row, it does not open. */
export function sealIdentity(id: string): string {
  return `access-ca:${id}`
}

/**
 * Opens the authority that signs now.
 * @param database the transaction in which something is signed, where there is one
 * @throws NotFoundError where none was made, RefusedError when the keyring cannot open it
 */
export async function openCa(
  workspace: Pick<Workspace, 'keyring' | 'random'>,
  database: Queryable,
): Promise<Authority> {
  const row = await selectSealedCa(database)
  if (!row) throw noCa()
  const pkcs8 = (await workspace.keyring()).open(row.sealed, sealIdentity(row.id))
  try {
    return await openAuthority(row.certificate, pkcs8, workspace.random)
  } finally {
    pkcs8.fill(0)
  }
}

/** The authority that signs now, without its key. @throws NotFoundError where none was made */
export async function requireCa(database: Queryable): Promise<CaRow> {
  const row = await selectCa(database)
  if (!row) throw noCa()
  return row
}

function noCa(): NotFoundError {
  return new NotFoundError('no-client-ca', 'there is no authority that signs client certificates', {
    suggestions: ['cleverctl access ca create'],
  })
}
