import { ExitCode } from '../../../src/lib/errors.js'
import type { Scenarios } from './types.js'
import { NOWHERE, NOTHING } from './values.js'

const { ok, usage, refused, notFound, conflict, findings } = ExitCode

/** Keys and tokens, and the gate that asks for them. */
export const keys: Scenarios = {
  'api-key:issue': (stand) => ({
    succeeds: {
      args: { installation: stand.bareInstallation },
      flags: { output: stand.path('key.txt'), 'expires-in': '365d' },
      code: ok,
    },
    fails: {
      args: { installation: stand.installation },
      flags: { output: stand.path('none.txt') },
      code: conflict,
    },
  }),
  'api-key:list': ({ installation }) => ({
    succeeds: { args: { installation }, code: ok },
    fails: { args: { installation: NOWHERE }, code: notFound },
  }),
  'api-key:revoke': ({ installation }) => ({
    succeeds: {
      args: { installation },
      flags: { all: true, reason: 'leaked', yes: true },
      code: ok,
    },
    fails: {
      args: { installation },
      flags: { key: 'AAAAAAAA', reason: 'leaked', yes: true },
      code: notFound,
    },
  }),
  'api-key:rotate': (stand) => ({
    succeeds: {
      args: { installation: stand.installation },
      flags: { output: stand.path('key.txt'), grace: '24h', 'expires-in': '365d' },
      code: ok,
    },
    fails: { args: { installation: stand.bareInstallation }, code: conflict },
  }),
  'api-key:scan': (stand) => ({
    succeeds: {
      args: { path: stand.file('clean.txt', 'nothing here\n') },
      flags: { sarif: stand.path('clean.sarif'), offline: true },
      code: ok,
    },
    fails: {
      args: { path: stand.file('leaked.log', `key=${stand.apiKey}\n`) },
      flags: { sarif: stand.path('leaked.sarif') },
      code: findings,
    },
  }),
  'api-key:status': ({ installation }) => ({
    succeeds: { args: { installation }, flags: { near: '3d' }, code: ok },
    fails: { args: { installation: NOWHERE }, flags: { check: true }, code: notFound },
  }),
  'token:inspect': (stand) => ({
    succeeds: {
      flags: { 'token-file': stand.file('token.txt', `${stand.token}\n`), audience: 'ingest' },
      code: ok,
    },
    fails: {
      flags: { 'token-file': stand.file('forged.txt', `${stand.forgedToken}\n`) },
      code: findings,
    },
  }),
  'token:issue': (stand) => ({
    succeeds: {
      args: { serial: stand.serial },
      flags: { output: stand.path('token.txt'), ttl: '5s' },
      code: ok,
    },
    fails: { args: { serial: NOTHING }, flags: { output: stand.path('none.txt') }, code: notFound },
  }),
  'token:revoke': ({ serial }) => ({
    succeeds: { flags: { device: serial, yes: true }, code: ok },
    fails: { flags: { installation: NOWHERE, yes: true }, code: notFound },
  }),
  'signing-key:list': () => ({ succeeds: { code: ok }, fails: { code: refused, fault: 'login' } }),
  'signing-key:rotate': () => ({
    succeeds: { flags: { now: true }, code: ok },
    fails: { flags: { now: true }, code: refused, fault: 'keyring' },
    isAlone: true,
  }),
  'gate:explain': (stand) => ({
    succeeds: {
      flags: {
        'api-key-file': stand.file('key.txt', `${stand.apiKey}\n`),
        'token-file': stand.file('token.txt', `${stand.token}\n`),
      },
      code: ok,
    },
    fails: {
      flags: {
        request: stand.file(
          'request.txt',
          `POST /v1/data HTTP/1.1\r\nX-API-Key: ${stand.apiKey}\r\nAuthorization: Bearer ${stand.forgedToken}\r\n\r\n`,
        ),
      },
      code: findings,
    },
  }),
  'gate:refusals': () => ({
    succeeds: { flags: { since: '1h', limit: '10' }, code: ok },
    fails: { flags: { since: 'yesterday' }, code: usage },
  }),
  'gate:retention': () => ({
    succeeds: { flags: { keep: '14mo', drop: true, yes: true }, code: ok, role: 'owner' },
    fails: { flags: { keep: '13mo' }, code: usage },
  }),
  'gate:serve': () => ({ succeeds: { code: 143 }, fails: { code: usage }, isSpecial: true }),
  'keyring:rotate': () => ({
    succeeds: { code: ok },
    fails: { code: refused, fault: 'keyring' },
    isAlone: true,
  }),
  'keyring:status': () => ({ succeeds: { code: ok }, fails: { code: findings, fault: 'keyring' } }),
}
