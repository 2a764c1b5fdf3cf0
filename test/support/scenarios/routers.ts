import { ExitCode } from '../../../src/lib/errors.js'
import type { Scenarios } from './types.js'
import { NOWHERE, HOST_KEY, OTHER_HOST_KEY, secretWord, passwordFile } from './values.js'

const { ok, usage, partial, notFound, conflict } = ExitCode
const ROUTERS = 'installation,password,driver,address,hostKey,port,username,ssid,wifiPassword'
const routerRow = (installation: string, hostKey: string) =>
  `${installation},${secretWord()},openwrt,10.8.0.1,${hostKey},22,root,,\n`

/** Routers. */
export const routers: Scenarios = {
  'router:add': (stand) => {
    const flags = {
      driver: 'openwrt',
      address: '10.8.0.1',
      port: '2222',
      username: 'admin',
      'host-key': HOST_KEY,
      'host-key-type': 'ssh-ed25519',
      jump: `root@bastion.example.com:22=${HOST_KEY}`,
      'ssh-config': stand.file('ssh_config', 'Host plant\n  User root\n'),
      'password-file': passwordFile(stand, secretWord()),
      ssid: 'CLV-000042',
      'wifi-password-file': stand.file('wifi-password.txt', `${secretWord()}\n`),
      offline: true,
    } as const
    return {
      succeeds: { args: { installation: stand.bareInstallation }, flags, code: ok },
      fails: { args: { installation: stand.installation }, flags, code: conflict },
    }
  },
  // No such router is recorded, so none is contacted.
  'router:check': (stand) => ({
    succeeds: {
      flags: {
        driver: 'rutos',
        concurrency: '4',
        firmware: 'rutos=7.20',
        'fail-on': 'note',
        sarif: stand.path('routers.sarif'),
      },
      code: ok,
    },
    fails: { args: { installation: NOWHERE }, code: notFound },
  }),
  'router:import': (stand) => ({
    succeeds: {
      args: {
        file: stand.file(
          'router-secrets.csv',
          `${ROUTERS}\n${routerRow(stand.bareInstallation, HOST_KEY)}`,
        ),
      },
      flags: { rejects: stand.path('rejects.csv'), offline: true },
      code: ok,
    },
    fails: {
      args: {
        file: stand.file(
          'bad-router-secrets.csv',
          `${ROUTERS}\n${routerRow(NOWHERE, HOST_KEY)}${routerRow(stand.installation, '?')}`,
        ),
      },
      flags: { offline: true },
      code: partial,
    },
  }),
  'router:list': () => ({
    succeeds: { flags: { driver: 'openwrt', limit: '5', cursor: 'solar' }, code: ok },
    fails: { flags: { driver: 'none' }, code: usage },
  }),
  'router:qr': ({ routerInstallation, installation, path }) => ({
    succeeds: {
      args: { installation: routerInstallation },
      flags: { output: path('label.svg') },
      code: ok,
    },
    fails: { args: { installation }, flags: { output: path('none.png') }, code: notFound },
  }),
  'router:reconcile': () => ({
    succeeds: { code: ok },
    fails: { args: { installation: NOWHERE }, code: notFound },
  }),
  'router:rekey': ({ installation }) => ({
    succeeds: {
      args: { installation },
      flags: { 'host-key': OTHER_HOST_KEY, 'host-key-type': 'ssh-ed25519', offline: true },
      code: ok,
    },
    fails: {
      args: { installation: NOWHERE },
      flags: { 'host-key': OTHER_HOST_KEY, offline: true },
      code: notFound,
    },
  }),
  'router:remove': ({ installation }) => ({
    succeeds: { args: { installation }, flags: { yes: true }, code: ok },
    fails: { args: { installation: NOWHERE }, flags: { yes: true }, code: notFound },
  }),
  'router:reveal': (stand) => ({
    succeeds: {
      args: { installation: stand.routerInstallation },
      flags: { what: 'admin', reason: 'site visit', output: stand.path('revealed-password.txt') },
      code: ok,
    },
    fails: {
      args: { installation: stand.installation },
      flags: { what: 'wifi', reason: 'site visit', output: stand.path('none.txt') },
      code: notFound,
    },
  }),
  'router:rotate': ({ routerInstallation }) => ({
    succeeds: { args: { installation: routerInstallation }, flags: { 'dry-run': true }, code: ok },
    fails: { args: { installation: NOWHERE }, code: notFound },
  }),
  'router:show': ({ installation }) => ({
    succeeds: { args: { installation }, code: ok },
    fails: { args: { installation: NOWHERE }, code: notFound },
  }),
}
