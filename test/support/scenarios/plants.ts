import { ExitCode } from '../../../src/lib/errors.js'
import type { Scenarios } from './types.js'
import { NOWHERE, NOTHING } from './values.js'

const { ok, usage, partial, notFound, conflict, findings } = ExitCode
const PLACE = { timezone: 'Europe/Madrid', latitude: '36.84', longitude: '-2.46' }
const DEVICES = 'serial,model,batch,manufacturedAt'
const PLANTS = 'code,name,timezone,latitude,longitude'

/** Installations and their devices. */
export const plants: Scenarios = {
  'installation:create': (stand) => ({
    succeeds: {
      args: { installation: `new-${stand.number}` },
      flags: { ...PLACE, name: 'Almeria 42' },
      code: ok,
    },
    fails: {
      args: { installation: stand.installation },
      flags: { ...PLACE, name: 'another' },
      code: conflict,
    },
  }),
  'installation:import': (stand) => ({
    succeeds: {
      args: {
        file: stand.file(
          'plants.csv',
          `${PLANTS}\nimp-${stand.number},Almeria,Europe/Madrid,36,-2\n`,
        ),
      },
      flags: { rejects: stand.path('rejects.csv') },
      code: ok,
    },
    fails: {
      args: { file: stand.file('bad-plants.csv', `${PLANTS}\n?,?,?,?,?\n`) },
      code: partial,
    },
  }),
  'installation:list': () => ({
    succeeds: { flags: { 'code-prefix': 'solar', cursor: 'solar', limit: '5' }, code: ok },
    fails: { flags: { limit: '0' }, code: usage },
  }),
  'installation:retire': ({ installation }) => ({
    succeeds: { args: { installation }, flags: { force: true, yes: true }, code: ok },
    fails: { args: { installation: NOWHERE }, flags: { yes: true }, code: notFound },
  }),
  'installation:show': ({ installation }) => ({
    succeeds: { args: { installation }, code: ok },
    fails: { args: { installation: NOWHERE }, code: notFound },
  }),
  'device:audit': (stand) => ({
    succeeds: {
      flags: {
        kind: 'stale-secret',
        installation: stand.installation,
        batch: 'B-1',
        since: '24h',
        'shelf-age': '180d',
        'silent-for': '24h',
        'key-age': '365d',
        'secret-age': '1825d',
        skew: '5m',
        limit: '10',
        sarif: stand.path('audit.sarif'),
      },
      code: ok,
    },
    fails: { flags: { installation: stand.installation, kind: 'mute' }, code: findings },
  }),
  'device:import': (stand) => ({
    succeeds: {
      args: {
        file: stand.file(
          'factory.csv',
          `${DEVICES}\nIMP-${stand.number},CleverDx,B-1,2026-01-02\n`,
        ),
      },
      flags: { 'secrets-out': stand.path('secrets.csv'), rejects: stand.path('rejects.csv') },
      code: ok,
    },
    fails: {
      args: {
        file: stand.file(
          'bad.csv',
          `${DEVICES}\nBAD-${stand.number},CleverDx,B-1,2026-01-02\n?,?,?,?\n`,
        ),
      },
      flags: { 'secrets-out': stand.path('bad-secrets.csv') },
      code: partial,
    },
  }),
  'device:list': ({ installation }) => ({
    succeeds: {
      flags: {
        installation,
        batch: 'B-1',
        model: 'CleverDx',
        'serial-prefix': 'CDX',
        cursor: 'CDX',
      },
      code: ok,
    },
    fails: { flags: { installation: NOWHERE }, code: notFound },
  }),
  'device:register': (stand) => ({
    succeeds: {
      args: { serial: `REG-${stand.number}` },
      flags: {
        'secrets-out': stand.path('secrets.csv'),
        model: 'CleverDx',
        batch: 'B-1',
        'manufactured-at': '2026-01-02',
      },
      code: ok,
    },
    fails: { args: { serial: `REJ-${stand.number}` }, code: usage },
  }),
  'device:remove': ({ serial }) => ({
    succeeds: { args: { serial }, code: ok },
    fails: { args: { serial: NOTHING }, code: notFound },
  }),
  'device:revoke': ({ serial }) => ({
    succeeds: { args: { serial }, flags: { reason: 'stolen', yes: true }, code: ok },
    fails: { args: { serial: NOTHING }, flags: { reason: 'stolen', yes: true }, code: notFound },
  }),
  'device:rotate-secret': (stand) => ({
    succeeds: {
      args: { serial: stand.serial },
      flags: { output: stand.path('secret.txt'), grace: '24h' },
      code: ok,
    },
    fails: { args: { serial: NOTHING }, flags: { output: stand.path('none.txt') }, code: notFound },
  }),
  'device:show': ({ serial }) => ({
    succeeds: { args: { serial }, code: ok },
    fails: { args: { serial: NOTHING }, code: notFound },
  }),
}
