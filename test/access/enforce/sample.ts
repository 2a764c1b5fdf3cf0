import type { RoleRow, SessionRow } from '../../../src/lib/access/audit/server-store.js'
import type { AccountRow } from '../../../src/lib/staff/store.js'

/**
 * SQL by which ana@example.com answers for findings about pg_hba.conf.
 * @param findings rules by the number of the line
 */
export function answersFor(findings: Record<number, readonly string[]>): string {
  const rows = Object.entries(findings).flatMap(([line, rules]) =>
    rules.map((rule) => `('${rule}', 'pg_hba.conf line ${line}')`),
  )
  return `insert into cleverctl.access_acceptance (rule, subject, owner_id, reason, valid_until, accepted_at)
    select rule, subject, id, 'tests need it', '2099-12-31', now()
    from (values ${rows.join(', ')}) as found (rule, subject), cleverctl.account
    where handle = 'ana@example.com'`
}

/** The moment at which plans are made. */
export const NOW = new Date('2026-06-01T12:00:00Z')
const END = new Date('2026-12-01T00:00:00Z')

/** An entry of the list. */
export function account(more: Partial<AccountRow> & Pick<AccountRow, 'handle'>): AccountRow {
  return {
    ...{ id: more.handle, kind: 'staff', description: 'x', owner: null, roleNames: [] },
    ...{ networks: [], until: '2026-12-31', addedAt: NOW, removedAt: null },
    ...more,
  }
}

/** A login with which nothing is wrong. */
export function role(name: string, more: Partial<RoleRow> = {}): RoleRow {
  return {
    ...{ name, canLogin: true, isSuperuser: false, isBootstrap: false, canCreateRoles: false },
    ...{ canCreateDatabases: false, canReplicate: false, bypassesRowSecurity: false },
    ...{ connectionLimit: 5, validUntil: END },
    ...more,
  }
}

/** A session by the unix socket. */
export function session(of: string, more: Partial<SessionRow> = {}): SessionRow {
  return {
    ...{ pid: 7, role: of, database: 'fleet', address: null, isEncrypted: false },
    isReplication: false,
    ...more,
  }
}
