import { randomBase62 } from '../../base62.js'
import type { Database } from '../../database/database.js'
import { ConflictError, UsageError } from '../../errors.js'
import { changeList } from '../../staff/change.js'
import { appendTrail } from '../../trail/append.js'
import type { Workspace } from '../../workspace.js'
import { serverNames, type AskedServers } from '../named-servers.js'
import { atPlaceOf } from './place.js'
import { makeDecoy, selectComment, type HoneyRow } from './server-store.js'
import { insertCanary, moveCanary, selectCanaryAt } from './store.js'
import { REFERENCE, showCanary, type CanaryRow, type ShownCanary } from './types.js'

const NAME = /^[a-z_][a-z0-9_]{0,62}$/
const PASSWORD_LENGTH = 24
const REFERENCE_LENGTH = 12

/** Which decoys are to be planted. */
export interface CanaryOrder {
  role: string | undefined
  /** With its schema, or in `public`. */
  table: string | undefined
  /** Where the table goes. */
  database: string | undefined
  /** The primary; none: the server of the cleverctl database. */
  servers: AskedServers
}

/** What became of a decoy. */
export type PlantedCanary = ShownCanary & { outcome: 'planted' | 'unchanged' }

type Place = Pick<CanaryRow, 'kind' | 'server' | 'database' | 'name'>

/**
 * Plants a role, a table, or both; the rows of the table then name the role. Each is written down before it is
 * made, and the same order again finishes what was interrupted.
 * @throws UsageError for bad names, ConflictError where something else has the name, NotFoundError for a host that is not
 *   recorded
 * @throws RefusedError for anybody but the owner of the cleverctl database, and a login that is no superuser
 * @throws UnreachableError when the server cannot be reached
 */
export async function plantCanaries(
  workspace: Workspace,
  order: CanaryOrder,
  environment: NodeJS.ProcessEnv,
): Promise<{ canaries: PlantedCanary[] }> {
  const canaries: PlantedCanary[] = []
  const [server = ''] = await serverNames(workspace, order.servers)
  for (const place of placesOf(order, server))
    canaries.push(
      await atPlaceOf(workspace, place, environment, (database) =>
        plant(workspace, database, place, order.role),
      ),
    )
  return { canaries }
}

async function plant(
  workspace: Workspace,
  server: Database,
  place: Place,
  role: string | undefined,
): Promise<PlantedCanary> {
  const { database, actor } = workspace
  const row = (await selectCanaryAt(database, place)) ?? (await writeDown(workspace, server, place))
  const { id, kind, name, reference, state } = row
  if (state === 'REMOVING')
    throw new ConflictError('canary-ends', `the ${kind} ${name} is being removed`, {
      suggestions: [`cleverctl access canary remove ${id}`],
    })
  const comment = await selectComment(server, place)
  if (comment !== undefined && comment !== reference) throw nameTaken(place)
  await makeDecoy(server, { kind, name, reference }, honeyRows(workspace, role))
  const isNew = await changeList(database, async (transaction) => {
    if (!(await moveCanary(transaction, id, { from: ['PLANNED'], to: 'PLANTED' }))) return false
    const details = { id, kind, reference }
    await appendTrail(transaction, actor, {
      ...{ action: 'access.plant', subject: name, phase: 'outcome', details },
    })
    return true
  })
  const outcome = isNew || comment === undefined ? 'planted' : 'unchanged'
  return { ...showCanary({ ...row, state: 'PLANTED' }), outcome }
}

/** Writes down what is about to be made, where nothing has the name. */
async function writeDown(
  { database, actor, clock, random }: Workspace,
  server: Database,
  place: Place,
): Promise<CanaryRow> {
  if ((await selectComment(server, place)) !== undefined) throw nameTaken(place)
  const reference = `${REFERENCE}${randomBase62(random, REFERENCE_LENGTH)}`
  await changeList(database, async (transaction) => {
    const id = await insertCanary(transaction, { ...place, reference, plantedAt: clock.now() })
    if (id === undefined) return
    const { kind, name, ...where } = place
    await appendTrail(transaction, actor, {
      action: 'access.plant',
      subject: name,
      phase: 'intent',
      details: { id, kind, ...where, reference },
    })
  })
  const row = await selectCanaryAt(database, place)
  if (!row) throw new ConflictError('canary-ends', `${place.name} was removed at this moment`)
  return row
}

/** Logins that open nothing. @param role the first is that of the decoy, whose use is seen in logs */
function honeyRows({ random }: Workspace, role = 'replicator_ro'): HoneyRow[] {
  return [
    ['postgres', role],
    ['object-storage', 'backup-writer'],
    ['mail-relay', 'alerts'],
  ].map(([service = '', username = '']) => {
    return { service, username, password: randomBase62(random, PASSWORD_LENGTH) }
  })
}

function placesOf({ role, table, database }: CanaryOrder, server: string): Place[] {
  if (role === undefined && table === undefined)
    throw new UsageError('missing-canary', 'it is not said what is to be planted', {
      suggestions: ['--role NAME, --table NAME --database NAME, or both'],
    })
  if ((table === undefined) !== (database === undefined))
    throw new UsageError('missing-database', '--table and --database go together')
  const words = (table ?? '').split('.')
  const parts = words.length === 1 ? ['public', ...words] : words
  if (role !== undefined) requireName('role', role, [role])
  if (table !== undefined) requireName('table', table, parts.length === 2 ? parts : [''])
  return [
    ...(role === undefined ? [] : [{ kind: 'role' as const, server, database: '', name: role }]),
    ...(table === undefined || database === undefined
      ? []
      : [{ kind: 'table' as const, server, database, name: parts.join('.') }]),
  ]
}

function requireName(kind: string, text: string, parts: readonly string[]): void {
  if (parts.every((part) => NAME.test(part) && !part.startsWith('pg_'))) return
  throw new UsageError(
    'bad-name',
    `${JSON.stringify(text.slice(0, 80))} is no name for a ${kind}: small letters, digits and underscores, and not pg_…`,
  )
}

function nameTaken({ kind, name }: Place): ConflictError {
  return new ConflictError('name-taken', `the server has a ${kind} ${name} already`, {
    suggestions: ['take another name: a decoy is nothing that anybody uses'],
  })
}
