import assert from 'node:assert/strict'
import { verificationKeys } from '../../src/lib/signing-key/verification-keys.js'
import type { VerificationKeys } from '../../src/lib/signing-key/verification-keys.js'
import type { TokenFault } from '../../src/lib/token/types.js'
import { verifyToken } from '../../src/lib/token/verify.js'
import { encode, forge, forgeHmac, goodClaims, goodHeader, NOW, testKey } from './forge.js'

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

const key = testKey('active000001')
let keys: VerificationKeys

function codeOf(text: string): TokenFault | 'ok' {
  const verdict = verifyToken(text, keys, { now: NOW, audience: 'ingest' })
  return verdict.ok ? 'ok' : verdict.code
}

function refused(text: string, ...codes: TokenFault[]): void {
  const code = codeOf(text)
  assert.ok(code !== 'ok', 'let in')
  if (codes.length > 0) assert.ok(codes.includes(code), code)
}

/** The good token with another signature, given as 64 bytes. */
function resigned(signature: Buffer): string {
  return `${forge(key).split('.').slice(0, 2).join('.')}.${signature.toString('base64url')}`
}

function bytes32(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex')
}

describe('attacks on tokens', () => {
  before(async () => {
    keys = await verificationKeys([key.row])
  })

  it('alg none: without signature, with an empty one, with the old one', () => {
    for (const alg of ['none', 'None', 'nOnE', '']) {
      const body = `${encode({ ...goodHeader(key.row.kid), alg })}.${encode(goodClaims())}`
      refused(body, 'T_FORMAT')
      refused(`${body}.`, 'T_FORMAT')
      refused(`${body}.${forge(key).split('.')[2]}`, 'T_ALG')
    }
  })

  it('HS256 with the public key as secret, in every form it is published or stored in', () => {
    const { publicKey, row } = key
    const secrets: (string | Buffer)[] = [
      publicKey.export({ format: 'pem', type: 'spki' }),
      publicKey.export({ format: 'pem', type: 'spki' }).toString().trim(),
      publicKey.export({ format: 'der', type: 'spki' }),
      JSON.stringify(row.publicJwk),
      String(row.publicJwk.x),
      Buffer.from(String(row.publicJwk.x), 'base64url'),
      '',
    ]
    for (const secret of secrets) {
      for (const alg of ['HS256', 'HS384', 'HS512', 'ES256']) {
        refused(forgeHmac({ ...goodHeader(row.kid), alg }, goodClaims(), secret))
      }
    }
  })

  it('a key that the token brings along', () => {
    const own = testKey('active000001')
    refused(forge(own, { ...goodHeader('active000001'), jwk: own.row.publicJwk }), 'T_HEADER')
    refused(forge(own), 'T_SIG')
  })

  it('signatures of zeros, of the order and beyond it', () => {
    for (const r of [0n, 1n, ORDER - 1n, ORDER, ORDER + 1n, 2n ** 256n - 1n]) {
      for (const s of [0n, 1n, ORDER - 1n, ORDER, ORDER + 1n, 2n ** 256n - 1n]) {
        refused(resigned(Buffer.concat([bytes32(r), bytes32(s)])), 'T_SIG')
      }
    }
  })

  it('the mirrored signature of a good token is the same token, with the same id', () => {
    const text = forge(key)
    const signature = Buffer.from(text.split('.')[2] ?? '', 'base64url')
    const s = BigInt(`0x${signature.subarray(32).toString('hex')}`)
    const mirrored = Buffer.concat([signature.subarray(0, 32), bytes32(ORDER - s)])
    const body = text.split('.').slice(0, 2).join('.')
    const verdict = verifyToken(`${body}.${mirrored.toString('base64url')}`, keys, {
      now: NOW,
      audience: 'ingest',
    })
    assert.equal(verdict.ok && verdict.claims.tokenId, goodClaims()['jti'])
  })

  it('a good token cut at any length', () => {
    const text = forge(key)
    for (let length = 0; length < text.length; length += 1) {
      refused(text.slice(0, length), 'T_MISSING', 'T_FORMAT')
    }
  })

  it('a good token with any one character changed', () => {
    const text = forge(key)
    for (let at = 0; at < text.length; at += 1) {
      const other = text[at] === 'A' ? 'B' : 'A'
      refused(text.slice(0, at) + other + text.slice(at + 1))
    }
  })

  it('a good token with something before, behind or between', () => {
    const text = forge(key)
    const [header, claims, signature] = text.split('.')
    for (const other of [
      ` ${text}`,
      `${text} `,
      `${text}\n`,
      `${text}.`,
      `.${text}`,
      `${text}.${signature}`,
      `${header}..${claims}.${signature}`,
      `${header}=.${claims}.${signature}`,
      `${header}.${claims}=.${signature}`,
      `${header}.${claims}.${signature}==`,
      `${header}.${claims}\n.${signature}`,
      `Bearer ${text}`,
      `${text},${text}`,
    ]) {
      refused(other, 'T_FORMAT')
    }
  })

  it('spare bits in the last character of a part', () => {
    const text = forge(key)
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const last = alphabet.indexOf(text.slice(-1))
    // 64 bytes leave four spare bits in the last of their 86 characters.
    assert.equal(last % 16, 0)
    for (let spare = 1; spare < 16; spare += 1) {
      refused(text.slice(0, -1) + alphabet.charAt(last + spare), 'T_FORMAT')
    }
  })

  it('base64 with + and / where base64url has - and _', () => {
    // ES256 signatures are random: of twenty, some hold the two letters.
    const texts = Array.from({ length: 20 }, () => forge(key)).filter((text) => /[-_]/.test(text))
    assert.ok(texts.length > 0)
    for (const text of texts) refused(text.replaceAll('-', '+').replaceAll('_', '/'), 'T_FORMAT')
  })

  it('a claim given twice, by whoever holds the key', () => {
    const twice = JSON.stringify(goodClaims()).replace(
      '"aud":"ingest"',
      '"aud":"app","aud":"ingest"',
    )
    refused(forge(key, goodHeader(key.row.kid), twice), 'T_FORMAT')
    const header = '{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"active000001"}'
    refused(forge(key, header), 'T_FORMAT')
  })

  const shapes: [name: string, claims: string][] = [
    ['no JSON', 'hello'],
    ['null', 'null'],
    ['a number', '1'],
    ['a text', '"text"'],
    ['a list', '[]'],
    ['a list of claims', JSON.stringify([goodClaims()])],
    ['JSON with spaces', JSON.stringify(goodClaims(), null, 1)],
    ['JSON and more', `${JSON.stringify(goodClaims())}{}`],
    ['JSON with a byte order mark', `\ufeff${JSON.stringify(goodClaims())}`],
    ['nothing but nesting', '['.repeat(1000) + ']'.repeat(1000)],
  ]
  for (const [name, claims] of shapes) {
    it(`claims that are ${name}`, () =>
      refused(forge(key, goodHeader(key.row.kid), claims), 'T_FORMAT'))
    it(`a header that is ${name}`, () => refused(forge(key, claims), 'T_FORMAT'))
  }

  it('bytes that are no UTF-8', () => {
    const header = encode(goodHeader(key.row.kid))
    const claims = Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])
    refused(`${header}.${claims.toString('base64url')}.${'A'.repeat(86)}`)
  })

  it('nesting inside a claim', () => {
    const deep = '['.repeat(1200) + ']'.repeat(1200)
    const claims = JSON.stringify(goodClaims()).replace('"ingest"', deep)
    refused(forge(key, goodHeader(key.row.kid), claims), 'T_AUD', 'T_FORMAT')
  })

  it('a claim that would be a prototype', () => {
    const claims = JSON.stringify(goodClaims()).replace('{', '{"__proto__":{"exp":1},')
    const { exp: _exp, ...rest } = goodClaims()
    refused(
      forge(
        key,
        goodHeader(key.row.kid),
        `{"__proto__":{"exp":9999999999},${JSON.stringify(rest).slice(1)}`,
      ),
      'T_NO_EXP',
    )
    assert.equal(codeOf(forge(key, goodHeader(key.row.kid), claims)), 'ok')
    assert.equal(({} as Record<string, unknown>)['exp'], undefined)
  })

  it('texts of every size, none of which is looked into beyond 4 KiB', () => {
    const padded = forge(key, goodHeader(key.row.kid), { ...goodClaims(), pad: 'x'.repeat(4000) })
    refused(padded, 'T_FORMAT')
    for (const size of [4096, 4097, 65_536, 16_777_216]) {
      const started = performance.now()
      refused('A'.repeat(size), 'T_FORMAT')
      refused('.'.repeat(size), 'T_FORMAT')
      refused(`${'A'.repeat(size / 2)}.${'A'.repeat(size / 2)}.A`, 'T_FORMAT')
      assert.ok(performance.now() - started < 1000)
    }
  })

  it('noise: ten thousand random texts never throw and never get in', () => {
    let seed = 20_260_601
    const next = () => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0)
    const good = forge(key)
    for (let round = 0; round < 10_000; round += 1) {
      const characters = good.split('')
      for (let change = next() % 4; change >= 0; change -= 1) {
        characters[next() % characters.length] = String.fromCharCode(next() % 256)
      }
      const text = characters.join('')
      if (text !== good) refused(text)
    }
  })
})
