import { ExitCode } from '../../../src/lib/errors.js'
import type { Scenarios } from './types.js'
import { NOWHERE, NOBODY, passwordFile } from './values.js'

const { ok, partial, refused, notFound, conflict } = ExitCode
const PEOPLE = 'email,name,roleNames,networks,until'
const PROGRAMS = 'name,purpose,owner,roleNames,networks,until'

/** People and programs. */
export const people: Scenarios = {
  'staff:add': ({ number }) => ({
    succeeds: {
      args: { email: `new-${number}@example.com` },
      flags: {
        name: 'Engineer',
        'role-name': `new_role_${number}`,
        network: '10.77.0.1/32',
        until: '2099-12-31',
        replace: true,
      },
      code: ok,
      role: 'owner',
    },
    fails: {
      args: { email: `staff-${number}@example.com` },
      flags: { name: 'Somebody', 'role-name': `new_role_${number}` },
      code: conflict,
      role: 'owner',
    },
  }),
  'staff:import': (stand) => ({
    succeeds: {
      args: {
        file: stand.file(
          'staff.csv',
          `${PEOPLE}\nimp-${stand.number}@example.com,Ana,imp_${stand.number},10.0.0.0/8,\n`,
        ),
      },
      flags: { rejects: stand.path('rejects.csv'), replace: true },
      code: ok,
      role: 'owner',
    },
    fails: {
      args: { file: stand.file('bad-staff.csv', `${PEOPLE}\n?,?,?,?,?\n`) },
      code: partial,
      role: 'owner',
    },
  }),
  'staff:list': () => ({
    succeeds: { flags: { all: true }, code: ok },
    fails: { code: refused, fault: 'login' },
  }),
  'staff:remove': ({ number }) => ({
    succeeds: {
      args: { email: `staff-${number}@example.com` },
      flags: { yes: true },
      code: ok,
      role: 'owner',
    },
    fails: { args: { email: NOBODY }, flags: { yes: true }, code: notFound, role: 'owner' },
  }),
  'staff:show': ({ number }) => ({
    succeeds: { args: { email: `staff-${number}@example.com` }, code: ok },
    fails: { args: { email: NOBODY }, code: notFound },
  }),
  'service-account:add': ({ number }) => ({
    succeeds: {
      args: { name: `service-${number}` },
      flags: {
        purpose: 'replication',
        owner: `staff-${number}@example.com`,
        'role-name': `service_role_${number}`,
        network: '10.77.0.11/32',
        until: '2099-12-31',
        replace: true,
      },
      code: ok,
      role: 'owner',
    },
    fails: {
      args: { name: `service-${number}` },
      flags: { purpose: 'replication', owner: NOBODY },
      code: notFound,
      role: 'owner',
    },
  }),
  'service-account:import': (stand) => ({
    succeeds: {
      args: {
        file: stand.file(
          'programs.csv',
          `${PROGRAMS}\nimp-${stand.number},replication,staff-${stand.number}@example.com,,10.0.0.0/8,\n`,
        ),
      },
      flags: { rejects: stand.path('rejects.csv'), replace: true },
      code: ok,
      role: 'owner',
    },
    fails: {
      args: { file: stand.file('bad-programs.csv', `${PROGRAMS}\n?,?,?,?,?,?\n`) },
      code: partial,
      role: 'owner',
    },
  }),
  'service-account:list': () => ({
    succeeds: { flags: { all: true }, code: ok },
    fails: { code: refused, fault: 'login' },
  }),
  'service-account:remove': ({ number }) => ({
    succeeds: {
      args: { name: `program-${number}` },
      flags: { yes: true },
      code: ok,
      role: 'owner',
    },
    fails: { args: { name: 'nowhere' }, flags: { yes: true }, code: notFound, role: 'owner' },
  }),
  'service-account:show': ({ number }) => ({
    succeeds: { args: { name: `program-${number}` }, code: ok },
    fails: { args: { name: 'nowhere' }, code: notFound },
  }),
  'installer:add': (stand) => ({
    succeeds: {
      args: { email: `new-${stand.number}@example.com` },
      flags: { name: 'Installer', 'password-file': passwordFile(stand) },
      code: ok,
    },
    fails: {
      args: { email: stand.email },
      flags: { name: 'Installer', 'password-file': passwordFile(stand) },
      code: conflict,
    },
  }),
  'installer:assign': ({ email, bareInstallation }) => ({
    succeeds: { args: { email, installation: bareInstallation }, code: ok },
    fails: { args: { email, installation: NOWHERE }, code: notFound },
  }),
  'installer:disable': ({ email }) => ({
    succeeds: { args: { email }, flags: { yes: true }, code: ok },
    fails: { args: { email: NOBODY }, flags: { yes: true }, code: notFound },
  }),
  'installer:list': ({ installation }) => ({
    succeeds: { flags: { installation }, code: ok },
    fails: { flags: { installation: NOWHERE }, code: notFound },
  }),
  'installer:reset-password': (stand) => ({
    succeeds: {
      args: { email: stand.email },
      flags: { 'password-file': passwordFile(stand), enable: true },
      code: ok,
    },
    fails: {
      args: { email: NOBODY },
      flags: { 'password-file': passwordFile(stand) },
      code: notFound,
    },
  }),
  'installer:unassign': ({ email, installation }) => ({
    succeeds: { args: { email, installation }, code: ok },
    fails: { args: { email, installation: NOWHERE }, code: notFound },
  }),
}
