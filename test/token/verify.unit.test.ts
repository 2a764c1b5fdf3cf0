import assert from 'node:assert/strict'
import { createSign } from 'node:crypto'
import { verificationKeys } from '../../src/lib/signing-key/verification-keys.js'
import type { VerificationKeys } from '../../src/lib/signing-key/verification-keys.js'
import { refusalOf, type TokenFault } from '../../src/lib/token/types.js'
import { examineToken, verifyToken } from '../../src/lib/token/verify.js'
import { forge, goodClaims, goodHeader, NOW, NOW_S, testKey } from './forge.js'

const key = testKey('active000001')
let keys: VerificationKeys

function codeOf(text: string | undefined, now = NOW): TokenFault | 'ok' {
  const verdict = verifyToken(text, keys, { now, audience: 'ingest' })
  return verdict.ok ? 'ok' : verdict.code
}

describe('the rules of a token', () => {
  before(async () => {
    keys = await verificationKeys([key.row])
  })

  it('lets a good token in and says whom it is for', () => {
    assert.deepEqual(verifyToken(forge(key), keys, { now: NOW, audience: 'ingest' }), {
      ok: true,
      claims: {
        audience: 'ingest',
        installation: 'solar-0042',
        serial: 'CDX-000123',
        installationEpoch: 0,
        deviceEpoch: 0,
        tokenId: 'AAAAAAAAAAAAAAAAAAAAAA',
        issuedAt: NOW,
        expiresAt: new Date((NOW_S + 900) * 1000),
      },
    })
  })

  it('lets an app token in for the app alone', () => {
    const { serial: _serial, device_epoch: _epoch, ...rest } = goodClaims()
    const text = forge(key, goodHeader(key.row.kid), {
      ...rest,
      aud: 'app',
      sub: '17',
      client_id: 'app',
    })
    const verdict = verifyToken(text, keys, { now: NOW, audience: 'app' })
    assert.equal(verdict.ok && verdict.claims.installerId, '17')
    assert.equal(codeOf(text), 'T_AUD')
  })

  it('misses a token that is not there', () => {
    assert.equal(codeOf(undefined), 'T_MISSING')
    assert.equal(codeOf(''), 'T_MISSING')
  })

  const headers: [name: string, change: Record<string, unknown>, code: TokenFault][] = [
    ['no algorithm', { alg: undefined }, 'T_ALG'],
    ['alg none', { alg: 'none' }, 'T_ALG'],
    ['alg NONE', { alg: 'NONE' }, 'T_ALG'],
    ['alg ES384', { alg: 'ES384' }, 'T_ALG'],
    ['alg es256', { alg: 'es256' }, 'T_ALG'],
    ['alg in a list', { alg: ['ES256'] }, 'T_ALG'],
    ['typ JWT', { typ: 'JWT' }, 'T_TYP'],
    ['typ AT+JWT', { typ: 'AT+JWT' }, 'T_TYP'],
    ['typ application/at+jwt', { typ: 'application/at+jwt' }, 'T_TYP'],
    ['no typ', { typ: undefined }, 'T_TYP'],
    ['crit', { crit: ['exp'] }, 'T_CRIT'],
    ['empty crit', { crit: [] }, 'T_CRIT'],
    ['crit null', { crit: null }, 'T_CRIT'],
    ['a key of its own', { jwk: testKey('x').row.publicJwk }, 'T_HEADER'],
    ['a key set elsewhere', { jku: 'https://example.com/jwks.json' }, 'T_HEADER'],
    ['a certificate elsewhere', { x5u: 'https://example.com/cert.pem' }, 'T_HEADER'],
    ['a certificate of its own', { x5c: ['MIIB'] }, 'T_HEADER'],
    ['compression', { zip: 'DEF' }, 'T_HEADER'],
    ['a content type', { cty: 'JWT' }, 'T_HEADER'],
    ['no kid', { kid: undefined }, 'T_KID'],
    ['another kid', { kid: 'unknown00000' }, 'T_KID'],
    ['an empty kid', { kid: '' }, 'T_KID'],
    ['a kid in other case', { kid: 'ACTIVE000001' }, 'T_KID'],
    ['a number as kid', { kid: 1 }, 'T_KID'],
    ['null as kid', { kid: null }, 'T_KID'],
    ['a list as kid', { kid: ['active000001'] }, 'T_KID'],
    ['an object as kid', { kid: { toString: 'active000001' } }, 'T_KID'],
    ['a path as kid', { kid: '../../../../dev/null' }, 'T_KID'],
    ['SQL as kid', { kid: "' or '1'='1" }, 'T_KID'],
    ['SQL that gives the kid', { kid: "x' union select 'active000001' --" }, 'T_KID'],
    ['a NUL in the kid', { kid: 'active000001\0' }, 'T_KID'],
    ['a property name as kid', { kid: '__proto__' }, 'T_KID'],
    ['a method name as kid', { kid: 'constructor' }, 'T_KID'],
  ]
  for (const [name, change, code] of headers) {
    it(`${code}: header with ${name}`, () => {
      assert.equal(codeOf(forge(key, { ...goodHeader(key.row.kid), ...change })), code)
    })
  }

  const claims: [name: string, change: Record<string, unknown>, code: TokenFault | 'ok'][] = [
    ['another issuer', { iss: 'somebody' }, 'T_ISS'],
    ['no issuer', { iss: undefined }, 'T_ISS'],
    ['the issuer in a list', { iss: ['cleverctl'] }, 'T_ISS'],
    ['the audience of the app', { aud: 'app' }, 'T_AUD'],
    ['no audience', { aud: undefined }, 'T_AUD'],
    ['the audience in a list', { aud: ['ingest'] }, 'T_AUD'],
    ['the audience in a list of lists', { aud: [['ingest']] }, 'T_AUD'],
    ['the audience among others', { aud: ['app', 'ingest'] }, 'T_AUD'],
    ['the audience in other case', { aud: 'Ingest' }, 'T_AUD'],
    ['no subject', { sub: undefined }, 'T_SUB'],
    ['an empty subject', { sub: '' }, 'T_SUB'],
    ['a number as subject', { sub: 42 }, 'T_SUB'],
    ['a list as subject', { sub: ['solar-0042'] }, 'T_SUB'],
    ['a subject with a NUL', { sub: 'solar-0042\0' }, 'T_SUB'],
    ['a subject without end', { sub: 's'.repeat(65) }, 'T_SUB'],
    ['no serial', { serial: undefined }, 'T_SUB'],
    ['a number as serial', { serial: 123 }, 'T_SUB'],
    ['no token id', { jti: undefined }, 'T_JTI'],
    ['a short token id', { jti: 'AAAA' }, 'T_JTI'],
    ['a number as token id', { jti: 1 }, 'T_JTI'],
    ['no client', { client_id: undefined }, 'T_CLIENT'],
    ['another client', { client_id: 'CDX-000124' }, 'T_CLIENT'],
    ['no exp', { exp: undefined }, 'T_NO_EXP'],
    ['exp null', { exp: null }, 'T_NO_EXP'],
    ['exp as text', { exp: String(NOW_S + 900) }, 'T_NO_EXP'],
    ['exp with a fraction', { exp: NOW_S + 900.5 }, 'T_NO_EXP'],
    ['exp beyond every number', { exp: 1e300 }, 'T_NO_EXP'],
    ['exp zero', { exp: 0 }, 'T_NO_EXP'],
    ['exp in milliseconds', { exp: (NOW_S + 900) * 1000 }, 'T_TTL'],
    ['no iat', { iat: undefined }, 'T_TTL'],
    ['iat as text', { iat: String(NOW_S) }, 'T_TTL'],
    ['iat negative', { iat: -1 }, 'T_TTL'],
    ['a life of one hour', { exp: NOW_S + 3600 }, 'ok'],
    ['a life of an hour and a second', { exp: NOW_S + 3601 }, 'T_TTL'],
    ['no life', { exp: NOW_S }, 'T_TTL'],
    ['a life backwards', { iat: NOW_S + 30, exp: NOW_S + 20 }, 'T_TTL'],
    ['iat a minute ahead', { iat: NOW_S + 60, exp: NOW_S + 900 }, 'ok'],
    ['iat a minute and a second ahead', { iat: NOW_S + 61, exp: NOW_S + 900 }, 'T_SKEW'],
    ['nbf a minute ahead', { nbf: NOW_S + 60 }, 'ok'],
    ['nbf far ahead', { nbf: NOW_S + 61 }, 'T_SKEW'],
    ['nbf as text', { nbf: String(NOW_S) }, 'T_SKEW'],
    ['a second to live', { iat: NOW_S - 899, exp: NOW_S + 1 }, 'ok'],
    ['its end just now', { iat: NOW_S - 900, exp: NOW_S }, 'T_EXPIRED'],
    ['its end a year ago', { iat: NOW_S - 31_536_900, exp: NOW_S - 31_536_000 }, 'T_EXPIRED'],
    ['no epoch', { epoch: undefined }, 'T_EPOCH'],
    ['epoch as text', { epoch: '0' }, 'T_EPOCH'],
    ['epoch negative', { epoch: -1 }, 'T_EPOCH'],
    ['no epoch of the device', { device_epoch: undefined }, 'T_EPOCH'],
    ['epoch of the device null', { device_epoch: null }, 'T_EPOCH'],
  ]
  for (const [name, change, code] of claims) {
    it(`${code}: claims with ${name}`, () => {
      const text = forge(key, goodHeader(key.row.kid), { ...goodClaims(), ...change })
      assert.equal(codeOf(text), code)
    })
  }

  const keyStates = [
    ['NEXT', null, 'ok'],
    ['ACTIVE', null, 'ok'],
    ['VERIFY', new Date(NOW.getTime() + 1), 'ok'],
    ['VERIFY', NOW, 'T_KID'],
    ['RETIRED', NOW, 'T_KID'],
    ['REVOKED', null, 'T_KID'],
  ] as const
  for (const [state, verifyUntil, code] of keyStates) {
    it(`${code}: signed by a key in state ${state} until ${verifyUntil?.toISOString() ?? 'further notice'}`, async () => {
      const other = testKey('other0000001', state, verifyUntil)
      const both = await verificationKeys([key.row, other.row])
      const verdict = verifyToken(forge(other), both, { now: NOW, audience: 'ingest' })
      assert.equal(verdict.ok ? 'ok' : verdict.code, code)
    })
  }

  it('says T_SIG and not T_EXPIRED of a forged token with an old date', () => {
    const stranger = testKey(key.row.kid)
    const old = { ...goodClaims(), iat: NOW_S - 900, exp: NOW_S - 1 }
    assert.equal(codeOf(forge(stranger, goodHeader(key.row.kid), old)), 'T_SIG')
    assert.equal(codeOf(forge(key, goodHeader(key.row.kid), old)), 'T_EXPIRED')
  })

  it('does not take a DER signature for the 64 bytes of ES256', () => {
    const [header, claimsPart] = forge(key).split('.')
    const der = createSign('sha256').update(`${header}.${claimsPart}`).sign(key.privateKey)
    assert.equal(codeOf(`${header}.${claimsPart}.${der.toString('base64url')}`), 'T_FORMAT')
  })

  it('gives every fault one of the classes that gates count', () => {
    assert.equal(refusalOf('T_EXPIRED'), 'T_EXPIRED')
    assert.equal(refusalOf('T_ALG'), 'T_SIG')
    assert.equal(refusalOf('T_FORMAT'), 'T_SIG')
  })
})

describe('the examination of a token', () => {
  before(async () => {
    keys = await verificationKeys([key.row])
  })

  const expectation = { now: NOW, audience: 'ingest' } as const

  it('passes a good token on every rule', () => {
    const { rules } = examineToken(forge(key), keys, expectation)
    assert.deepEqual(
      rules.map(({ code }) => code).join(' '),
      'T_FORMAT T_ALG T_TYP T_CRIT T_HEADER T_KID T_SIG T_ISS T_AUD T_SUB T_JTI T_CLIENT T_NO_EXP T_TTL T_SKEW T_EXPIRED T_EPOCH',
    )
    assert.deepEqual(new Set(rules.map(({ verdict }) => verdict)), new Set(['pass']))
  })

  it('names every broken rule, not the first alone', () => {
    const header = { ...goodHeader(key.row.kid), typ: 'JWT' }
    const text = forge(key, header, { ...goodClaims(), aud: 'app', exp: NOW_S - 1, iat: NOW_S - 2 })
    const { rules } = examineToken(text, keys, expectation)
    const broken = rules.filter(({ verdict }) => verdict === 'fail').map(({ code }) => code)
    assert.deepEqual(broken, ['T_TYP', 'T_AUD', 'T_EXPIRED'])
  })

  it('checks nothing behind a text that is no token, and repeats none of it', () => {
    const { rules, claims } = examineToken('hunter2', keys, expectation)
    assert.equal(claims, undefined)
    assert.equal(rules[0]?.verdict, 'fail')
    assert.ok(rules.slice(1).every(({ verdict }) => verdict === 'not-checked'))
    assert.ok(!JSON.stringify(rules).includes('hunter2'))
  })

  it('shows a hostile value harmless and short', () => {
    const text = forge(key, {
      ...goodHeader(key.row.kid),
      kid: `\u001b[2J\u009b${'x'.repeat(500)}`,
    })
    const { rules } = examineToken(text, keys, expectation)
    const detail = rules.find(({ code }) => code === 'T_KID')?.detail ?? ''
    assert.match(detail, /^[ -~…]{1,80}$/)
  })
})
