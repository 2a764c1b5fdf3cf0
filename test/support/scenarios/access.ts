import { ExitCode } from '../../../src/lib/errors.js'
import { visit } from '../session-log.js'
import type { Scenarios } from './types.js'
import { NOBODY } from './values.js'

const { ok, usage, refused, notFound, conflict, findings, unreachable } = ExitCode

/** Who may reach the databases. */
export const access: Scenarios = {
  'access:accept': ({ number }) => ({
    succeeds: {
      args: { rule: 'superuser', subject: `role new-${number}` },
      flags: {
        owner: `staff-${number}@example.com`,
        reason: 'break glass',
        until: '2099-12-31',
        host: 'postgres://auditor@db1.example.com:5432/postgres',
      },
      code: ok,
      role: 'owner',
    },
    fails: {
      args: { rule: 'superuser', subject: 'role dba' },
      flags: { owner: NOBODY, reason: 'none', until: '2099-12-31' },
      code: notFound,
      role: 'owner',
    },
  }),
  'access:accept:list': () => ({
    succeeds: { flags: { all: true }, code: ok },
    fails: { code: refused, fault: 'login' },
  }),
  'access:accept:withdraw': ({ number }) => ({
    succeeds: { args: { number: String(number) }, code: ok, role: 'owner' },
    fails: { args: { number: '999999' }, code: notFound, role: 'owner' },
  }),
  // Nobody of the test's own logins is on the list, so none of them can approve.
  'access:approve': ({ number }) => ({
    succeeds: { args: { number: String(number) }, code: refused },
    fails: { args: { number: '999999' }, code: notFound },
  }),
  // The roles of the test's own server are nobody on the list.
  'access:audit': (stand) => ({
    succeeds: {
      flags: {
        'fail-on': 'critical',
        sarif: stand.path('access.sarif'),
        junit: stand.path('access.xml'),
      },
      code: findings,
    },
    fails: { flags: { dsn: 'nowhere', probe: true }, code: usage },
  }),
  'access:ca:create': () => ({
    succeeds: { code: ok, role: 'owner' },
    fails: { flags: { replace: true }, code: usage },
  }),
  'access:ca:show': () => ({
    succeeds: { code: ok },
    fails: { code: refused, fault: 'login' },
  }),
  'access:canary:list': () => ({
    succeeds: { flags: { all: true }, code: ok },
    fails: { code: refused, fault: 'login' },
  }),
  'access:canary:plant': ({ number }) => ({
    succeeds: {
      flags: {
        role: `decoy_${number}`,
        table: 'vault.passwords',
        database: 'fleet',
        dsn: 'postgres://x@127.0.0.1:1/x?connect_timeout=1&sslmode=disable',
      },
      code: unreachable,
      role: 'owner',
    },
    fails: { flags: { role: 'pg_decoy' }, code: usage, role: 'owner' },
  }),
  'access:canary:remove': ({ number }) => ({
    succeeds: { args: { number: String(number) }, code: unreachable, role: 'owner' },
    fails: { args: { number: '999999' }, code: notFound, role: 'owner' },
  }),
  'access:deny': ({ number }) => ({
    succeeds: { args: { number: String(number) }, flags: { reason: 'not today' }, code: ok },
    fails: { args: { number: '999999' }, flags: { reason: 'not today' }, code: notFound },
  }),
  'access:enforce': () => ({
    succeeds: { flags: { 'unknown-roles': true }, code: findings },
    fails: {
      flags: { dsn: 'nowhere', role: 'old_app', yes: true },
      code: usage,
    },
  }),
  'access:expire': () => ({
    succeeds: { code: ok, role: 'owner' },
    fails: { code: refused, fault: 'login' },
  }),
  // By hand it is tried with a server where it succeeds.
  'access:grant': (stand) => ({
    succeeds: {
      args: { email: `staff-${stand.number}@example.com` },
      flags: {
        for: '1h',
        reason: 'ticket 4711',
        database: 'fleet',
        dsn: 'postgres://x@127.0.0.1:1/x?connect_timeout=1&sslmode=disable',
        output: stand.path('password.txt'),
        'read-only': true,
        certificate: true,
      },
      code: unreachable,
      role: 'owner',
    },
    fails: {
      args: { email: `staff-${stand.number}@example.com` },
      flags: { for: '8d', reason: 'too long', output: stand.path('none.txt') },
      code: usage,
    },
    isSpecial: true,
  }),
  'access:grants': () => ({
    succeeds: { flags: { all: true }, code: ok },
    fails: { code: refused, fault: 'login' },
  }),
  'access:policy:set': () => ({
    succeeds: { flags: { never: true, lapse: '4h' }, code: ok, role: 'owner' },
    fails: {
      flags: { 'longer-than': '1h', changing: true, database: 'fleet' },
      code: conflict,
      role: 'owner',
    },
  }),
  'access:policy:show': () => ({
    succeeds: { code: ok },
    fails: { code: refused, fault: 'login' },
  }),
  'access:revoke': ({ number }) => ({
    succeeds: { args: { email: `staff-${number}@example.com` }, code: ok, role: 'owner' },
    fails: { args: { email: NOBODY }, code: notFound, role: 'owner' },
  }),
  'access:prepare': () => ({
    succeeds: { args: { role: 'auditor' }, code: ok },
    fails: { args: { role: 'pg_monitor' }, code: usage },
  }),
  'access:report': (stand) => ({
    succeeds: {
      flags: {
        since: '7d',
        limit: '10',
        html: stand.path('report.html'),
        csv: stand.path('report'),
        sarif: stand.path('report.sarif'),
        junit: stand.path('report.xml'),
      },
      code: ok,
    },
    fails: { flags: { html: '/nowhere/report.html' }, code: usage },
  }),
  'access:self-test': () => ({
    succeeds: { code: ok },
    fails: { flags: { nope: true }, code: usage },
    isSpecial: true,
  }),
  'access:sessions': (stand) => ({
    succeeds: {
      flags: {
        log: stand.file('pg.json', visit({ pid: stand.number, user: 'stranger' })),
        'log-line-prefix': '%m [%p] ',
        since: '36500d',
        hours: '07:00-19:00',
        timezone: 'Europe/Madrid',
        superuser: 'dba',
        limit: '10',
        record: true,
        check: true,
      },
      code: findings,
    },
    fails: {
      flags: { log: stand.path('nowhere.json'), record: true, follow: true },
      code: usage,
    },
  }),
  'access:sessions:verify': () => ({
    succeeds: { code: ok },
    fails: { code: refused, fault: 'login' },
  }),
}
