import assert from 'node:assert/strict'
import { UsageError } from '../../src/lib/errors.js'
import { bearerToken, readSentRequest } from '../../src/lib/gate/sent-request.js'
import { Secret } from '../../src/lib/secret.js'

const read = (text: string) => {
  const { apiKey, token } = readSentRequest(new Secret(text))
  return [apiKey?.reveal(), token?.reveal()]
}

describe('a captured request', () => {
  it('is read from the text of HTTP', () => {
    const http =
      'POST /v1/data HTTP/1.1\r\nHost: gate\r\nX-Api-Key:  key \r\nAuthorization: Bearer tok.en\r\n\r\nX-API-Key: body'
    assert.deepEqual(read(http), ['key', 'tok.en'])
    assert.deepEqual(read(http.replaceAll('\r\n', '\n')), ['key', 'tok.en'])
    assert.deepEqual(read('x-api-key: key\nauthorization: bearer tok.en'), ['key', 'tok.en'])
    assert.deepEqual(read('GET / HTTP/1.1\n\n'), [undefined, undefined])
  })

  it('is read from JSON', () => {
    assert.deepEqual(read('{"apiKey":"key","token":"tok.en"}'), ['key', 'tok.en'])
    assert.deepEqual(read(' {"token":"tok.en"}'), [undefined, 'tok.en'])
  })

  it('is refused when it is neither', () => {
    for (const text of [
      '',
      'nonsense',
      '{',
      '{"apiKey":1}',
      '{"key":"x"}',
      '[]',
      '{"apiKey":"a","x":1}',
    ]) {
      assert.throws(() => read(text), UsageError, text)
    }
  })

  it('holds a bearer token or none', () => {
    assert.equal(bearerToken(undefined), undefined)
    assert.equal(bearerToken('Basic dXNlcg=='), undefined)
    assert.equal(bearerToken('Bearer'), undefined)
    assert.equal(bearerToken('Bearer  '), undefined)
    assert.equal(bearerToken('BEARER x.y.z'), 'x.y.z')
  })
})
