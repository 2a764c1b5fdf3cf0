import { Args, Flags } from '@oclif/core'
import type { AccountImport, AccountImportOptions } from '../staff/import.js'
import type { ShownAccount, ShownServiceAccount, ShownStaff } from '../staff/show.js'
import type { RemovedAccount } from '../staff/remove.js'
import type { AccountKind } from '../staff/types.js'
import { dryRunFlag } from './flags.js'
import { importFlags, renderRejects } from './import-report.js'
import type { Column, Screen } from './screen.js'

/** What `staff add` and `service-account add` have in common. */
export const accountFlags = {
  network: Flags.string({
    description:
      'from where it may come, such as 10.77.0.0/24; may be given several times (none: by the unix socket only)',
    helpValue: 'CIDR',
    multiple: true,
    multipleNonGreedy: true,
  }),
  until: Flags.string({
    description: 'the last day (UTC) of its right to come, such as 2027-12-31',
    helpValue: 'DAY',
  }),
  replace: Flags.boolean({ description: 'change the entry if it is there with other facts' }),
}

/** For lists of staff and service accounts. */
export const allFlag = {
  all: Flags.boolean({ description: 'those that were removed, too' }),
}

/** What `staff import` and `service-account import` read. */
export const importArgs = {
  file: Args.string({
    description: 'CSV, NDJSON or SCIM file, - for stdin',
    required: true,
    ignoreStdin: true,
  }),
}

/** How they read it; see {@link importOf}. */
export const accountImportFlags = {
  ...importFlags,
  format: Flags.option({ options: ['csv', 'ndjson', 'scim'] as const })({
    description: 'form of the input (without it: CSV or NDJSON, told by its first character)',
  }),
  replace: Flags.boolean({ description: 'change entries that are there with other facts' }),
  ...dryRunFlag,
}

/** What these say. */
export function importOf(
  input: string,
  flags: {
    format?: AccountImportOptions['format']
    rejects?: string | undefined
    strict: boolean
    replace: boolean
    'dry-run': boolean
  },
): AccountImportOptions {
  const { format, rejects, strict: isStrict, replace: isReplaced, 'dry-run': isDryRun } = flags
  return { input, format, rejects, isStrict, isReplaced, isDryRun }
}

/** Draws how an import came out. @param name the column that says what each refused row was about */
export function drawImport<Kind extends AccountKind>(
  screen: Screen,
  result: AccountImport<Kind>,
  name: Parameters<typeof renderRejects<AccountImport<Kind>['rejects'][number]>>[2],
): void {
  const would = result.dryRun ? 'would be ' : ''
  screen.facts([
    [`${would}added`, String(result.added)],
    [`${would}changed`, String(result.changed)],
    [`${would}removed`, String(result.removed)],
    ['unchanged', String(result.unchanged)],
    ['refused', String(result.rejected)],
    ['reject file', result.rejectsFile ?? '-'],
  ])
  renderRejects(screen, result.rejects, name)
}

/** Columns of a list of staff. */
export function staffColumns(screen: Screen): Column<ShownStaff>[] {
  return [
    { title: 'EMAIL', text: ({ email }) => email },
    { title: 'NAME', text: ({ name }) => name, isMinor: true },
    ...accountColumns(screen),
  ]
}

/** Columns of a list of service accounts. */
export function serviceAccountColumns(screen: Screen): Column<ShownServiceAccount>[] {
  return [
    { title: 'NAME', text: ({ name }) => name },
    { title: 'PURPOSE', text: ({ purpose }) => purpose, isMinor: true },
    { title: 'OWNER', text: ({ owner }) => owner },
    ...accountColumns(screen),
  ]
}

/** Draws the facts that both kinds have. */
export function drawAccount(
  screen: Screen,
  account: ShownAccount,
  facts: readonly (readonly [string, string])[],
): void {
  screen.facts([
    ...facts,
    ['state', account.state],
    ['role names', account.roleNames.join(' ')],
    ['networks', account.networks.join(' ') || '-'],
    ['last day', account.until ?? '-'],
    ['added', screen.time(account.addedAt)],
    ['removed', screen.time(account.removedAt)],
  ])
}

/** Draws what became of a removal, and what is left to do. */
export function drawRemoved(screen: Screen, kind: string, removed: RemovedAccount): void {
  const { handle, outcome, roleNames, ownerless } = removed
  screen.line(`${kind} ${handle} ${outcome}`)
  screen.line(`roles that still exist on the servers: ${roleNames.join(' ')}`)
  if (ownerless.length > 0) screen.line(`nobody answers any more for: ${ownerless.join(' ')}`)
}

function accountColumns(screen: Screen): Column<ShownAccount>[] {
  return [
    { title: 'ROLES', text: ({ roleNames }) => roleNames.join(' ') },
    { title: 'NETWORKS', text: ({ networks }) => networks.join(' ') || '-' },
    { title: 'LAST DAY', text: ({ until }) => until ?? '-' },
    { title: 'STATE', text: ({ state }) => state },
    { title: 'ADDED', text: ({ addedAt }) => screen.time(addedAt), isMinor: true },
  ]
}
