/** `role`: one that can never log in. `table`: one with rows that look like credentials. */
export type CanaryKind = 'role' | 'table'

/** PLANNED: written down, and perhaps there already. REMOVING: perhaps still there. */
export type CanaryState = 'PLANNED' | 'PLANTED' | 'REMOVING' | 'REMOVED'

/** A decoy as it is kept. */
export interface CanaryRow {
  id: string
  kind: CanaryKind
  /** The primary as `serverNames` names it; empty: the server of the cleverctl database. */
  server: string
  /** Where a table is; empty for a role. */
  database: string
  /** A role, or a table with its schema. */
  name: string
  /** The comment by which it is known on a server. */
  reference: string
  state: CanaryState
  plantedAt: Date
  removedAt: Date | null
}

/** What auditing needs to know of a decoy. */
export type CanaryOnList = Pick<CanaryRow, 'id' | 'kind' | 'name' | 'reference'>

/** A decoy as results show it. */
export interface ShownCanary {
  id: string
  kind: CanaryKind
  server: string | null
  database: string | null
  name: string
  state: CanaryState
  plantedAt: string
  removedAt: string | null
}

/** What every reference begins with; the audit looks at tables with such comments alone. */
export const REFERENCE = 'ref '

/** A row as results show it. */
export function showCanary(row: CanaryRow): ShownCanary {
  const { id, kind, server, database, name, state, plantedAt, removedAt } = row
  return {
    ...{ id, kind, server: server || null, database: database || null, name, state },
    plantedAt: plantedAt.toISOString(),
    removedAt: removedAt?.toISOString() ?? null,
  }
}
