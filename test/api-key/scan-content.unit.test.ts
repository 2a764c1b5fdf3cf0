import assert from 'node:assert/strict'
import { findCandidates, LONGEST, masked } from '../../src/lib/api-key/scan/candidates.js'
import { ContentSearch } from '../../src/lib/api-key/scan/content.js'
import { generateApiKey } from '../../src/lib/api-key/format.js'
import { systemRandom } from '../../src/lib/clock.js'
import { deviceSecretDigest, makeDeviceSecret } from '../../src/lib/device/secret.js'
import { seeded } from '../support/seeded.js'

const KEY = generateApiKey(systemRandom)
const TEXT = KEY.apiKey.reveal()
const DEVICE = makeDeviceSecret(systemRandom).reveal()

/** What is found in a content that comes in pieces of these lengths, the last one over and over. */
function search(content: string | Buffer, lengths: readonly number[]) {
  const bytes = Buffer.from(content)
  const scan = new ContentSearch(true)
  for (let at = 0, piece = 0; at < bytes.length; piece += 1) {
    const length = lengths[Math.min(piece, lengths.length - 1)] ?? 1
    // The piece's memory is used anew, as a reader does.
    const shared = Buffer.from(bytes.subarray(at, at + length))
    scan.add(shared, false)
    shared.fill(0)
    at += length
  }
  scan.add(Buffer.alloc(0), true)
  return scan.hits
}

const found = (text: string) => search(text, [1 << 20])

describe('a scanned content', () => {
  it('gives keys and device secrets with line and column, and nothing of the secret', () => {
    const hits = found(`first\n  ñ€ "${TEXT}"\n${DEVICE}`)
    assert.deepEqual(
      hits.map(({ kind, keyId, line, column, checksumMatches }) => ({
        kind,
        keyId,
        line,
        column,
        checksumMatches,
      })),
      [
        { kind: 'api-key', keyId: KEY.keyId, line: 2, column: 7, checksumMatches: true },
        { kind: 'device-secret', keyId: null, line: 3, column: 1, checksumMatches: true },
      ],
    )
    assert.ok(!JSON.stringify(hits).includes(TEXT.slice(20, 40)))
  })

  it('gives the same wherever it is cut into pieces', () => {
    const content = `${'é\n'.repeat(40)}x=${TEXT} ${DEVICE}\n${'-'.repeat(200)}${TEXT}`
    const whole = search(content, [content.length * 2])
    assert.equal(whole.length, 3)
    for (let cut = 1; cut < Buffer.byteLength(content); cut += 1)
      assert.deepEqual(search(content, [cut, 1 << 20]), whole, `cut at ${cut}`)
    for (const length of [1, 2, 3, 7, 64, 127, 128, 129])
      assert.deepEqual(search(content, [length]), whole, `pieces of ${length}`)
  })

  it('is searched to the same end in random pieces', () => {
    const random = seeded()
    for (let round = 0; round < 200; round += 1) {
      const noise = () => 'clv_live_\n'.repeat(random.below(30)).slice(random.below(9))
      const content = `${noise()}\n${TEXT}\n${noise()} ${DEVICE},${noise()}`
      const lengths = Array.from({ length: 50 }, () => 1 + random.below(300))
      assert.deepEqual(search(content, lengths), found(content), `seed ${random.seed}`)
    }
  })

  it('holds a mistyped key that stands alone, and says that its checksum is wrong', () => {
    const mistyped = `${TEXT.slice(0, 30)}${TEXT[30] === 'A' ? 'B' : 'A'}${TEXT.slice(31)}`
    assert.deepEqual(
      found(`key: ${mistyped};`).map((hit) => hit.checksumMatches),
      [false],
    )
    assert.deepEqual(found(`x${mistyped}`), [])
    assert.deepEqual(found(`${mistyped}x`), [])
  })

  it('holds a right key even in the middle of a word', () => {
    assert.equal(found(`prefix${TEXT}suffix`).length, 1)
    assert.equal(found(`${TEXT}${TEXT}${DEVICE}${DEVICE}`).length, 4)
  })

  for (const [name, text] of [
    ['a masked key', `clv_live_${KEY.keyId}_…`],
    ['a key cut short', TEXT.slice(0, -1)],
    ['a key over two lines', `${TEXT.slice(0, 30)}\n${TEXT.slice(30)}`],
    ['prefixes without end', 'clv_live_'.repeat(1000)],
    ['a key in base64', Buffer.from(TEXT).toString('base64')],
  ] as const)
    it(`holds nothing where there is ${name}`, () => assert.deepEqual(found(text), []))

  it('gives the bare secrets of a secrets file from before there was a prefix, with serials', () => {
    const bare = [1, 2, 3].map((at) => `${'x'.repeat(42)}${at}`)
    const rows = bare.map((secret, at) => `CDX-00012${at},${secret}\n`).join('')
    const whole = found(`serial,secret\n${rows}`)
    assert.deepEqual(
      whole.map(({ serial, line, column, digest }) => [serial, line, column, digest]),
      bare.map((secret, at) => [`CDX-00012${at}`, at + 2, 12, deviceSecretDigest(secret)]),
    )
    for (const length of [1, 5, 13, 14, 100, 128])
      assert.deepEqual(search(`serial,secret\n${rows}`, [length]), whole, `pieces of ${length}`)
    assert.deepEqual(found(rows), [], 'without its head it may be anything')
  })

  it('is looked at with neighbourhood enough for the longest of all', () => {
    assert.ok(LONGEST > 1 + 40 + 1 + TEXT.length)
    const bytes = Buffer.from(` ${TEXT}`)
    assert.deepEqual(findCandidates(bytes, { from: 2, to: bytes.length, isBare: false }), [])
    assert.deepEqual(findCandidates(bytes, { from: 0, to: 1, isBare: false }), [])
  })

  it('is masked where it is repeated', () => {
    assert.equal(masked(`a/${TEXT}.txt`), `a/clv_live_${KEY.keyId}_[secret].txt`)
    assert.equal(masked(`a/${DEVICE}`), 'a/clvd_[secret]')
  })
})
