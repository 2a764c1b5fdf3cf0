import type { AccountRow } from '../../staff/store.js'
import type { GrantOnList } from '../audit/types.js'
import type { CanaryOnList } from '../canary/types.js'
import { GRANTED_GROUP } from '../grant/types.js'
import { LAST_GRANTED_LINE, linesFor } from '../hba/block.js'

/** Roles of the throw-away server. */
export const ENGINEER = 'fleet_engineer'
export const REPLICATOR = 'fleet_replicator'
export const PROGRAM = 'fleet_program'
/** Its database. */
export const FLEET = 'fleet'

/** Handles on the list. */
export const HANDLES = {
  engineer: 'engineer@example.com',
  replicator: 'replicator',
  program: 'program',
  bootstrap: 'bootstrap',
  leaver: 'leaver@example.com',
  former: 'former@example.com',
} as const

/** Its decoys. */
export const DECOYS: readonly CanaryOnList[] = [
  { id: '1', kind: 'role', name: 'fleet_vault', reference: 'ref role' },
  { id: '2', kind: 'table', name: 'fleet.passwords', reference: 'ref table' },
]

/** The networks of who has its grants. */
const GRANTED_NETWORKS = ['10.77.0.1/32']
const grant = { email: HANDLES.engineer, isReadOnly: true, databases: [FLEET] }
const open = { ...grant, state: 'ACTIVE', endsAt: new Date('2098-01-01T00:00:00Z') }

/** Its grants. Of the second and the third one, the role is not there. */
export const GRANTS = {
  byPassword: { ...open, role: 'cleverctl_g_fleet', method: 'password' },
  byCertificate: { ...open, role: 'cleverctl_g_certified', method: 'certificate' },
  ended: { ...open, role: 'cleverctl_g_ended', method: 'password', state: 'ENDED' },
} as const satisfies Record<string, GrantOnList>

/** The lines of pg_hba.conf that a grant brings along. */
export function linesOfGrant(of: GrantOnList): string[] {
  return [...linesFor(of, GRANTED_NETWORKS), LAST_GRANTED_LINE]
}

/** Rules with which nothing is wrong; one that refuses everybody else comes after them. */
export function cleanRules(bootstrap: string): string[] {
  return [
    `local all "${bootstrap}" peer`,
    `hostssl ${FLEET} ${ENGINEER} 10.77.0.1/32 scram-sha-256`,
    `hostssl ${FLEET} ${PROGRAM} 10.77.1.0/24 scram-sha-256`,
    `hostssl replication ${REPLICATOR} 10.77.0.11/32 scram-sha-256`,
  ]
}

/** Statements by which the clean server gets its roles. @param verifier what is kept of their passwords */
export function cleanStatements(verifier: string): string[] {
  const login = (role: string, more: string) =>
    `create role ${role} login connection limit 5 ${more} password '${verifier}'`
  return [
    'create role fleet_readers',
    'create role fleet_owner',
    `create role ${GRANTED_GROUP}`,
    login(ENGINEER, `valid until '2098-01-01'`),
    login(REPLICATOR, 'replication'),
    login(PROGRAM, ''),
    login(GRANTS.byPassword.role, `valid until '2098-01-01' in role ${GRANTED_GROUP}`),
    'create schema fleet',
    'create table fleet.plant (code text)',
  ]
}

/** The list by which the throw-away server is measured. @param bootstrap its superuser */
export function listOfPeople(bootstrap: string): AccountRow[] {
  const addedAt = new Date('2026-01-01T00:00:00Z')
  const common = { owner: null, until: null, addedAt, removedAt: null }
  const person = { ...common, kind: 'staff' as const }
  const program = { ...common, kind: 'service-account' as const, owner: HANDLES.engineer }
  return [
    {
      ...person,
      handle: HANDLES.engineer,
      roleNames: [ENGINEER],
      networks: GRANTED_NETWORKS,
      until: '2098-12-31',
    },
    {
      ...person,
      handle: HANDLES.leaver,
      roleNames: ['fleet_leaver'],
      networks: [],
      removedAt: new Date('2026-02-01T00:00:00Z'),
    },
    {
      ...person,
      handle: HANDLES.former,
      roleNames: ['fleet_former'],
      networks: [],
      until: '2026-01-31',
    },
    {
      ...program,
      handle: HANDLES.replicator,
      roleNames: [REPLICATOR],
      networks: ['10.77.0.11/32'],
    },
    { ...program, handle: HANDLES.program, roleNames: [PROGRAM], networks: ['10.77.1.0/24'] },
    { ...program, handle: HANDLES.bootstrap, roleNames: [bootstrap], networks: [] },
  ].map((account, index) => ({ ...account, id: String(index), description: account.handle }))
}
