import type { Keyring } from '../../keyring/keyring.js'
import { identityFingerprint, unpackIdentity } from '../../ssh/identity.js'
import type { SshLogin } from '../../ssh/types.js'
import type { Workspace } from '../../workspace.js'
import { openCredential } from '../credential.js'
import { selectRouter, selectRouterPage, type RouterRow } from '../store.js'
import { unknownRouter, type RouterDriver } from '../types.js'
import { UsageError } from '../../errors.js'
import type { Ways } from '../../ssh/pin.js'
import { recordedLogin } from '../way-in.js'
import {
  selectCredentialsOf,
  selectRotating,
  selectShared,
  type CheckedCredential,
} from './store.js'
import type { Expected } from './types.js'

/** Which routers are meant. */
export type Selection = { installations: readonly string[] } | { driver: RouterDriver | undefined }

/** What a command line means. @throws UsageError when it means nothing, or two things */
export function selectionOf(asked: {
  installations: readonly string[]
  all: boolean
  driver: RouterDriver | undefined
}): Selection {
  const { installations, all, driver } = asked
  const isMany = all || driver !== undefined
  if (installations.length > 0 && !isMany) return { installations }
  if (installations.length === 0 && isMany) return { driver }
  throw new UsageError('bad-selection', 'name installations, or give --all or --driver', {
    suggestions: ['cleverctl router check --all', 'cleverctl router list'],
  })
}

/** A router that is to be looked at. */
export interface Target {
  router: RouterRow
  expected: Expected
  /** Its passwords and passphrases that another router has as well, by the records. */
  shared: readonly { kind: 'admin' | 'wifi'; others: number }[]
  /** @throws UsageError or ConflictError when there is none */
  login(): Promise<SshLogin>
}

const PAGE = 256

/** The routers that are meant, a page at a time. @throws NotFoundError for one that is not recorded */
export async function* routersOf(
  { database }: Pick<Workspace, 'database'>,
  selection: Selection,
): AsyncGenerator<RouterRow[]> {
  if ('installations' in selection) {
    const rows: RouterRow[] = []
    for (const installation of new Set(selection.installations)) {
      const row = await selectRouter(database, installation)
      if (row === undefined) throw unknownRouter(installation)
      rows.push(row)
    }
    yield rows
    return
  }
  let after: string | undefined
  while (true) {
    const rows = await selectRouterPage(database, { driver: selection.driver, after, limit: PAGE })
    if (rows.length > 0) yield rows
    after = rows.at(-1)?.installation
    if (rows.length < PAGE) return
  }
}

/** What is recorded of a page of routers, opened. */
export async function targetsOf(
  workspace: Workspace,
  rows: readonly RouterRow[],
  given: { ways: Pick<Ways, 'environment'>; firmware: ReadonlyMap<RouterDriver, string> },
): Promise<Target[]> {
  const { database } = workspace
  const ids = rows.map(({ id }) => id)
  const [credentials, rotating, shared] = await Promise.all([
    selectCredentialsOf(database, ids),
    selectRotating(database, ids),
    selectShared(database, ids),
  ])
  const keyring = await workspace.keyring()
  return Promise.all(
    rows.map(async (router) => {
      const own = credentials.filter(({ routerId }) => routerId === router.id)
      return {
        router,
        expected: {
          ...(await expectedOf(keyring, router, own)),
          isRotating: rotating.has(router.id),
          wantedFirmware: given.firmware.get(router.driver),
        },
        shared: shared.filter(({ routerId }) => routerId === router.id),
        login: () => {
          const current = own.filter(({ state }) => state === 'CURRENT')
          return recordedLogin(workspace, router, current, given.ways)
        },
      }
    }),
  )
}

async function expectedOf(
  keyring: Keyring,
  { installation, driver, login }: RouterRow,
  credentials: readonly CheckedCredential[],
): Promise<Omit<Expected, 'isRotating' | 'wantedFirmware'>> {
  const of = (kind: string, state = 'CURRENT') =>
    credentials.find((each) => each.kind === kind && each.state === state)
  const former = of('wifi', 'GRACE')
  const [wifi, admin, identity] = [of('wifi'), of('admin'), of('identity')]
  const packed = identity && openCredential(keyring, identity)
  return {
    installation,
    driver,
    login,
    wifi: wifi && { ssid: wifi.name, passphrase: openCredential(keyring, wifi) },
    former: former && { ssid: former.name, passphrase: openCredential(keyring, former) },
    password: admin && openCredential(keyring, admin),
    // An engineer's agent holds keys that are recorded nowhere.
    keys:
      login === 'agent'
        ? undefined
        : packed
          ? [await identityFingerprint(unpackIdentity(packed))]
          : [],
  }
}
