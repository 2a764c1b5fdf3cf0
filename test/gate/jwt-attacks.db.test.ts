import assert from 'node:assert/strict'
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  type KeyObject,
} from 'node:crypto'
import { sealIdentity } from '../../src/lib/signing-key/generate.js'
import type { FreshDatabase } from '../support/database.js'
import type { TestGate } from '../support/gate.js'
import type { TestPlant } from '../support/plant.js'
import { withGate } from '../support/gate-suite.js'

type Part = Record<string, unknown>

const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url')

describe('tokens that an attacker makes', () => {
  let fresh: FreshDatabase
  let plant: TestPlant
  let gate: TestGate
  let good: { header: Part; claims: Part; text: string }
  /** Our own signing key: for tokens that are authentic and wrong all the same. */
  let ownKey: KeyObject
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' })

  withGate(async (up) => {
    ;({ fresh, plant, gate } = up)
    await plant.addDevice('CDX-000123', plant.installation)
    const text = plant.token('CDX-000123')
    const [header = '', claims = ''] = text.split('.')
    const decode = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Part
    good = { header: decode(header), claims: decode(claims), text }
    const { kid } = plant.signer
    const { rows } = await fresh.database.query<{ sealed: Buffer }>(
      'select sealed_private as sealed from cleverctl.signing_key where kid = $1',
      [kid],
    )
    const keyring = await plant.workspace.keyring()
    const pkcs8 = keyring.open(rows[0]?.sealed ?? assert.fail('no key'), sealIdentity(kid))
    ownKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  })

  const es256 = (header: Part, claims: Part, key: KeyObject = stranger.privateKey) => {
    const text = `${encode(header)}.${encode(claims)}`
    const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' })
    return `${text}.${signature.toString('base64url')}`
  }

  const publicKeys = async () => {
    const answer = await gate.client.ask({ path: '/.well-known/jwks.json' })
    return (answer.body as { keys: (Part & { kid: string })[] }).keys
  }

  const refused = async (token: string, what: string) => {
    const answer = await gate.client.authorize({ apiKey: plant.apiKey, token })
    assert.equal(answer.status, 401, what)
    assert.deepEqual(answer.body, {
      error: 'unauthorized',
      requestId: answer.headers['x-request-id'],
    })
    const posted = await gate.client.post({ apiKey: plant.apiKey, token }, [
      { at: new Date().toISOString(), values: { a: 1 } },
    ])
    assert.equal(posted.status, 401, `${what}, with data`)
  }

  it('accepts the honest one', async () => {
    const answer = await gate.client.authorize({ apiKey: plant.apiKey, token: good.text })
    assert.equal(answer.status, 204)
    const same = es256(good.header, good.claims, ownKey)
    const again = await gate.client.authorize({ apiKey: plant.apiKey, token: same })
    assert.equal(again.status, 204, 'the same, signed here')
  })

  it('refuses unsigned ones, however none is written', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', null, undefined, 0, ['ES256']]) {
      const text = `${encode({ ...good.header, alg })}.${encode(good.claims)}`
      await refused(`${text}.`, `alg ${String(alg)} without signature`)
      await refused(text, `alg ${String(alg)}, two parts`)
      await refused(`${text}.${good.text.split('.')[2] ?? ''}`, `alg ${String(alg)}, our signature`)
    }
  })

  it('refuses those signed with HS256 and the public key as secret', async () => {
    for (const jwk of await publicKeys()) {
      const key = createPublicKey({ key: jwk as never, format: 'jwk' })
      const secrets = [
        key.export({ type: 'spki', format: 'pem' }),
        key.export({ type: 'spki', format: 'der' }),
        JSON.stringify(jwk),
        String(jwk['x']),
      ]
      for (const secret of secrets) {
        const text = `${encode({ ...good.header, alg: 'HS256', kid: jwk.kid })}.${encode(good.claims)}`
        const signature = createHmac('sha256', secret).update(text).digest('base64url')
        await refused(`${text}.${signature}`, 'HS256 with the public key')
      }
    }
  })

  it('refuses kids that are no key of ours, or another one', async () => {
    const kids = [
      undefined,
      null,
      '',
      0,
      {},
      ['x'],
      '../../../../dev/null',
      "' or '1'='1",
      "x' union select 'y",
      '__proto__',
      'constructor',
      'x'.repeat(1_000),
      'http://attacker.example.com/jwks.json',
    ]
    for (const kid of kids)
      await refused(es256({ ...good.header, kid }, good.claims), `kid ${JSON.stringify(kid)}`)
    for (const { kid } of await publicKeys()) {
      await refused(es256({ ...good.header, kid }, good.claims), 'our kid, a strange key')
      if (kid !== plant.signer.kid) {
        const [, claims = '', signature = ''] = good.text.split('.')
        await refused(
          `${encode({ ...good.header, kid })}.${claims}.${signature}`,
          'another kid of ours',
        )
      }
    }
  })

  it('refuses keys that the token brings along', async () => {
    const jwk = stranger.publicKey.export({ format: 'jwk' })
    const extras: Part[] = [
      { jwk },
      { jku: 'https://attacker.example.com/jwks.json' },
      { x5u: 'https://attacker.example.com/cert.pem' },
      { x5c: ['MIIB'] },
      { jwk, kid: undefined },
      { crit: ['exp'], exp: 1 },
      { crit: [] },
      { b64: false, crit: ['b64'] },
      { zip: 'DEF' },
    ]
    for (const extra of extras)
      await refused(
        es256({ ...good.header, ...extra }, good.claims),
        JSON.stringify(Object.keys(extra)),
      )
  })

  it('refuses our own signature under claims that do not fit', async () => {
    const now = Math.floor(Date.now() / 1000)
    const changes: [Part, string][] = [
      [{ exp: undefined }, 'no exp'],
      [{ exp: now + 900.5 }, 'exp is no whole number'],
      [{ exp: now - 1 }, 'expired'],
      [{ exp: now + 86_400 }, 'lives a day'],
      [{ exp: 'never' }, 'exp is text'],
      [{ iat: undefined }, 'no iat'],
      [{ iat: now + 3_600, exp: now + 3_700 }, 'issued in the future'],
      [{ nbf: now + 3_600 }, 'not before later'],
      [{ iss: 'somebody' }, 'other issuer'],
      [{ aud: 'app' }, 'other audience'],
      [{ aud: ['ingest', 'app'] }, 'several audiences'],
      [{ aud: undefined }, 'no audience'],
      [{ sub: 'solar-0043' }, 'other installation'],
      [{ sub: undefined }, 'no subject'],
      [{ serial: undefined }, 'no serial'],
      [{ serial: 'CDX-000124' }, 'other device than its client'],
      [{ epoch: 1 }, 'epoch of the installation ahead'],
      [{ device_epoch: 1 }, 'epoch of the device ahead'],
      [{ epoch: undefined }, 'no epoch'],
      [{ epoch: '0' }, 'epoch is text'],
      [{ jti: undefined }, 'no id'],
    ]
    for (const [change, what] of changes) {
      await refused(es256(good.header, { ...good.claims, ...change }, ownKey), what)
    }
  })

  it('refuses a wrong type', async () => {
    for (const typ of ['JWT', 'jwt', 'AT+JWT', 'id+jwt', undefined, null, 'at+jwt ']) {
      await refused(es256({ ...good.header, typ }, good.claims), `typ ${String(typ)}`)
    }
  })

  it('refuses a token of another installation, and this one with another key', async () => {
    const other = await plant.addInstallation('solar-0043')
    await refused(plant.token('CDX-000123', { installation: 'solar-0043' }), 'other installation')
    const answer = await gate.client.authorize({ apiKey: other.apiKey, token: good.text })
    assert.equal(answer.status, 401)
  })

  it('refuses every truncation, and every change of one character', async () => {
    const { text } = good
    for (let length = 0; length < text.length; length += 7) {
      await refused(text.slice(0, length), `first ${length} characters`)
    }
    for (let place = 0; place < text.length; place += 11) {
      const other = text[place] === 'A' ? 'B' : 'A'
      const changed = text.slice(0, place) + other + text.slice(place + 1)
      if (changed !== text) await refused(changed, `character ${place}`)
    }
  })

  it('refuses huge ones without effort', async () => {
    const huge = `${'A'.repeat(6_000)}.${'A'.repeat(6_000)}.${'A'.repeat(86)}`
    await refused(huge, 'longer than any token')
    const tooLarge = await gate.client
      .authorize({ apiKey: plant.apiKey, token: 'A'.repeat(20_000) })
      .catch(() => undefined)
    assert.ok(tooLarge === undefined || tooLarge.status === 431, String(tooLarge?.status))
  })

  it('counts all of them under a few codes', async () => {
    const codes = new Set(
      gate.log.filter((line) => line['event'] === 'arrival.refused').map((line) => line['code']),
    )
    for (const code of codes) {
      assert.match(String(code), /^(T_(MISSING|SIG|EXPIRED|SKEW|AUD|EPOCH)|X_SITE_MISMATCH)$/)
    }
  })
})
