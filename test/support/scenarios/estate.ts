import { ExitCode } from '../../../src/lib/errors.js'
import type { Scenarios } from './types.js'
import { HOST_KEY, OTHER_HOST_KEY, secretWord } from './values.js'

const { ok, failure, usage, refused, notFound, conflict, findings } = ExitCode
const NO_HOST = 'db-none'

/** The machines of the database estate, of which none is there. */
export const estate: Scenarios = {
  'host:add': (stand) => {
    const flags = {
      role: 'database',
      address: '10.77.0.11',
      port: '2222',
      username: 'postgres',
      'host-key': HOST_KEY,
      'host-key-type': 'ssh-ed25519',
      location: 'hall 1',
      stanza: 'main',
      'postgresql-port': '5433',
      'data-directory': '/var/lib/postgresql/15/main',
      'snapshot-driver': 'btrfs',
      'snapshot-directory': '/btrfs/snap',
      offline: true,
    } as const
    return {
      succeeds: { args: { name: `host-${stand.number}` }, flags, code: ok },
      fails: {
        args: { name: `db-${stand.number}` },
        flags: { ...flags, address: '10.77.0.12' },
        code: conflict,
      },
    }
  },
  // No machine is there.
  'host:check': ({ number }) => ({
    succeeds: { args: { name: `db-${number}` }, code: failure },
    fails: { args: { name: NO_HOST }, code: notFound },
  }),
  'host:list': () => ({
    succeeds: { flags: { role: 'backup' }, code: ok },
    fails: { flags: { role: 'none' }, code: usage },
  }),
  'host:prepare': ({ number }) => ({
    succeeds: { args: { name: `db-${number}` }, code: ok },
    fails: { args: { name: NO_HOST }, code: notFound },
  }),
  'host:rekey': ({ number }) => ({
    succeeds: {
      args: { name: `db-${number}` },
      flags: { 'host-key': OTHER_HOST_KEY, 'host-key-type': 'ssh-ed25519', offline: true },
      code: ok,
    },
    fails: {
      args: { name: NO_HOST },
      flags: { 'host-key': OTHER_HOST_KEY, offline: true },
      code: notFound,
    },
  }),
  'host:remove': ({ number }) => ({
    succeeds: { args: { name: `db-${number}` }, flags: { yes: true }, code: ok },
    fails: { args: { name: NO_HOST }, flags: { yes: true }, code: notFound },
  }),
  'host:show': ({ number }) => ({
    succeeds: { args: { name: `db-${number}` }, code: ok },
    fails: { args: { name: NO_HOST }, code: notFound },
  }),
  // No machine of the estate is there.
  'cluster:status': () => ({
    succeeds: {
      flags: {
        check: true,
        'max-lag': '30s',
        'max-backup-age': '24h',
        'max-drill-age': '7d',
        stanza: 'main',
      },
      code: findings,
    },
    fails: { flags: { stanza: 'nowhere' }, code: notFound },
  }),
  // No backup machine is recorded, nor could one be reached.
  'backup:drill': () => ({
    succeeds: {
      flags: { stanza: 'main', latest: true, repo: '2', directory: '/srv' },
      code: notFound,
    },
    fails: { flags: { time: 'yesterday' }, code: usage },
  }),
  'backup:list': () => ({
    succeeds: { flags: { stanza: 'main', repo: '2' }, code: notFound },
    fails: { flags: { nope: true }, code: usage },
  }),
  'backup:prune': () => ({
    succeeds: { flags: { stanza: 'main', 'keep-daily': '7', yes: true }, code: notFound },
    fails: {
      flags: { 'keep-daily': '0', 'keep-weekly': '0', 'keep-monthly': '0', yes: true },
      code: usage,
    },
  }),
  'backup:repo:add': (stand) => ({
    succeeds: {
      args: { number: '2' },
      flags: {
        type: 's3',
        bucket: 'solar-backup',
        endpoint: 's3.example.com',
        region: 'eu-central-1',
        port: '9000',
        'uri-style': 'path',
        path: '/backup',
        'secret-file': stand.file('s3.key', `${secretWord()}:${secretWord()}\n`),
        'cipher-file': stand.file('passphrase', `${secretWord()}\n`),
        stanza: 'main',
      },
      code: notFound,
    },
    fails: { args: { number: '2' }, flags: { type: 's3', account: 'solarbackup' }, code: usage },
  }),
  'backup:repo:list': () => ({
    succeeds: { flags: { stanza: 'main' }, code: ok },
    fails: { flags: { nope: true }, code: usage },
  }),
  'backup:repo:remove': () => ({
    succeeds: { args: { number: '2' }, flags: { stanza: 'main', yes: true }, code: notFound },
    fails: { args: { number: '0' }, flags: { yes: true }, code: usage },
  }),
  'backup:repo:reveal': () => ({
    succeeds: {
      args: { number: '2' },
      flags: { stanza: 'main', reason: 'for the safe', reveal: true },
      code: notFound,
    },
    fails: { args: { number: '2' }, flags: { reason: '', reveal: true }, code: usage },
  }),
  'backup:repo:check': () => ({
    succeeds: { args: { number: '1' }, flags: { stanza: 'main' }, code: notFound },
    fails: { args: { number: '0' }, code: usage },
  }),
  'backup:run': () => ({
    succeeds: {
      flags: { stanza: 'main', type: 'incr', from: 'standby', repo: '2', count: true },
      code: notFound,
    },
    fails: { flags: { type: 'none' }, code: usage },
  }),
  'backup:schedule': (stand) => ({
    succeeds: {
      flags: {
        scheduler: 'cron',
        every: '4',
        'full-on': 'Sat',
        repo: '2',
        jitter: '15m',
        install: true,
        root: stand.path('root'),
      },
      code: ok,
    },
    fails: { flags: { user: 'two words' }, code: usage },
  }),
  'backup:status': () => ({
    succeeds: { flags: { stanza: 'main', repo: '2', 'max-age': '6h' }, code: notFound },
    fails: { flags: { 'ping-url': 'nowhere' }, code: usage },
  }),
  'backup:verify': () => ({
    succeeds: { flags: { stanza: 'main', repo: '2' }, code: notFound },
    fails: { flags: { nope: true }, code: usage },
  }),
  // No machine of the estate is there, and none has a place for snapshots.
  'snapshot:create': ({ number }) => ({
    succeeds: { flags: { host: `db-${number}`, label: 'nightly', stanza: 'main' }, code: usage },
    fails: { flags: { host: NO_HOST }, code: notFound },
  }),
  'snapshot:list': () => ({
    succeeds: { flags: { all: true, stanza: 'main' }, code: ok },
    fails: { code: refused, fault: 'login' },
  }),
  'snapshot:prune': () => ({
    succeeds: {
      flags: {
        'keep-within': '12h',
        'keep-hourly': '48',
        'keep-daily': '14',
        'keep-weekly': '8',
        'keep-monthly': '12',
        'keep-yearly': '1',
        'time-zone': 'Europe/Berlin',
        stanza: 'main',
        yes: true,
      },
      code: ok,
    },
    fails: { flags: { 'time-zone': 'nowhere' }, code: usage },
  }),
  'snapshot:drill': () => ({
    succeeds: { args: { set: '20260101-030000-nightly' }, code: notFound },
    fails: { args: { set: 'nowhere' }, code: usage },
  }),
  'snapshot:restore': ({ number }) => ({
    succeeds: {
      args: { set: '20260101-030000-nightly' },
      flags: { host: `db-${number}`, to: '/data/copy' },
      code: notFound,
    },
    fails: {
      args: { set: 'nowhere' },
      flags: { host: `db-${number}`, to: '/data/copy' },
      code: usage,
    },
  }),
}
