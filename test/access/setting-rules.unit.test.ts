import { deepEqual, equal } from 'node:assert/strict'
import { changesNotLogged } from '../../src/lib/access/audit/rules/changes-not-logged.js'
import { listensEverywhere } from '../../src/lib/access/audit/rules/listens-everywhere.js'
import { logForm } from '../../src/lib/access/audit/rules/log-form.js'
import { noPasswordCheck } from '../../src/lib/access/audit/rules/no-password-check.js'
import type { AccessList, AccessRule, AuditParts } from '../../src/lib/access/audit/types.js'

/** What a rule finds that needs the settings of a server alone, and says so. */
function findIn(rule: AccessRule, settings: Record<string, string>) {
  deepEqual(rule.needs, ['settings'])
  const parts = { settings: new Map(Object.entries(settings)) } as unknown as AuditParts
  return rule.find(parts, {} as AccessList)
}

/** Settings in which nothing else is wrong, for values that a test server cannot have. */
const WITH_FORM = { log_destination: 'csvlog', logging_collector: 'on' }

/** A rule that does, or does not, find something in each of these values of a setting. */
function cases(
  rule: AccessRule,
  isFound: boolean,
  name: string,
  values: readonly string[],
  others: Record<string, string> = {},
) {
  return values.map((value) => ({ rule, isFound, value, settings: { ...others, [name]: value } }))
}

describe('a rule about settings', () => {
  for (const { rule, isFound, value, settings } of [
    ...cases(listensEverywhere, true, 'listen_addresses', ['*', '0.0.0.0', '::', '10.1.0.1, ::']),
    ...cases(listensEverywhere, false, 'listen_addresses', ['localhost', '10.1.0.1,127.0.0.1', '']),
    ...cases(logForm, true, 'lc_messages', ['es_ES.UTF-8', 'Spanish_Spain.1252'], WITH_FORM),
    ...cases(
      logForm,
      false,
      'lc_messages',
      ['', 'C', 'C.UTF-8', 'POSIX', 'en_GB.UTF-8', 'English_United States.1252'],
      WITH_FORM,
    ),
    ...cases(changesNotLogged, true, 'pgaudit.log', ['all,-role', 'ROLE', 'ddl, role, none']),
    ...cases(changesNotLogged, false, 'pgaudit.log', ['All', 'none,Role, DDL', '-role,all']),
  ])
    it(`${rule.id} ${isFound ? 'finds' : 'passes'} ${JSON.stringify(value)}`, () => {
      equal(findIn(rule, settings).length > 0, isFound)
    })

  it('keeps the libraries that are loaded in its fix, each in quotes of its own', () => {
    const loaded = { shared_preload_libraries: '"$libdir/pgaudit", auth_delay' }
    const set = 'alter system set shared_preload_libraries ='
    deepEqual(
      findIn(noPasswordCheck, loaded).map(({ fix, undo }) => [fix, undo]),
      [
        [
          `${set} '$libdir/pgaudit', 'auth_delay', 'passwordcheck'; then restart the server`,
          `${set} '$libdir/pgaudit', 'auth_delay'; then restart the server`,
        ],
      ],
    )
    deepEqual(
      findIn(noPasswordCheck, { shared_preload_libraries: '' }).map(({ undo }) => undo),
      ['alter system reset shared_preload_libraries; then restart the server'],
    )
  })
})
