import { ExitCode } from '../../../src/lib/errors.js'
import type { Scenarios } from './types.js'

const { ok, usage, refused, notFound, conflict, findings } = ExitCode
const NO_CAMPAIGN = '999999'

/** Whatever concerns the tool itself. */
export const tool: Scenarios = {
  autocomplete: () => ({
    succeeds: { args: { shell: 'bash' }, code: ok },
    fails: { args: { shell: 'cmd' }, code: usage },
  }),
  'campaign:abort': ({ campaign }) => ({
    succeeds: { args: { campaign }, flags: { reason: 'wrong grace', yes: true }, code: ok },
    fails: { args: { campaign: NO_CAMPAIGN }, flags: { yes: true }, code: notFound },
  }),
  'campaign:list': () => ({
    succeeds: { flags: { limit: '5', cursor: '2000' }, code: ok },
    fails: { flags: { cursor: 'x' }, code: usage },
  }),
  'campaign:pause': ({ campaign }) => ({
    succeeds: { args: { campaign }, flags: { reason: 'storm' }, code: ok },
    fails: { args: { campaign: 'x' }, code: usage },
  }),
  'campaign:resume': ({ campaign }) => ({
    succeeds: { args: { campaign }, flags: { 'retry-failed': true, concurrency: '2' }, code: ok },
    fails: { args: { campaign: NO_CAMPAIGN }, code: notFound },
  }),
  'campaign:show': ({ campaign }) => ({
    succeeds: { args: { campaign }, code: ok },
    fails: { args: { campaign: NO_CAMPAIGN }, code: notFound },
  }),
  'campaign:work': () => ({
    succeeds: { flags: { 'until-idle': true, concurrency: '2' }, code: ok },
    fails: { flags: { concurrency: '0' }, code: usage },
  }),
  'database:migrate': () => ({
    succeeds: { code: ok, role: 'owner' },
    fails: { code: refused, fault: 'login' },
  }),
  'database:start': () => ({ succeeds: { code: ok }, fails: { code: usage }, isSpecial: true }),
  'database:status': () => ({ succeeds: { code: ok }, fails: { code: refused, fault: 'login' } }),
  'database:stop': () => ({ succeeds: { code: ok }, fails: { code: usage }, isSpecial: true }),
  demo: () => ({
    succeeds: { code: ok },
    fails: { flags: { nope: true }, code: usage },
    isSpecial: true,
  }),
  doctor: () => ({ succeeds: { code: ok }, fails: { code: findings, fault: 'login' } }),
  help: () => ({
    succeeds: { args: { subject: 'exit-codes' }, code: ok },
    fails: { args: { subject: 'xyzzy' }, code: usage },
  }),
  init: () => ({ succeeds: { code: ok }, fails: { code: refused, fault: 'login' } }),
  'profile:list': () => ({ succeeds: { code: ok }, fails: { flags: { nope: true }, code: usage } }),
  'profile:use': () => ({
    succeeds: { args: { name: 'default' }, code: ok },
    fails: { args: { name: 'nowhere' }, code: notFound },
  }),
  status: () => ({ succeeds: { code: ok }, fails: { code: refused, fault: 'login' } }),
  'trail:export': (stand) => ({
    succeeds: { flags: { output: stand.path('trail.ndjson') }, code: ok },
    fails: { flags: { output: stand.file('there.txt', 'mine') }, code: conflict },
  }),
  'trail:list': ({ serial }) => ({
    succeeds: {
      flags: { since: '1h', action: 'device', subject: serial, actor: 'staff', cursor: '99' },
      code: ok,
    },
    fails: { flags: { cursor: 'x' }, code: usage },
  }),
  'trail:verify': (stand) => ({
    succeeds: { code: ok },
    fails: { flags: { file: stand.file('no-trail.ndjson', '{}\n') }, code: usage },
  }),
}
