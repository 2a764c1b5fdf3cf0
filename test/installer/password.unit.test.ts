import { deepEqual, equal, match, ok, throws } from 'node:assert/strict'
import { systemRandom } from '../../src/lib/clock.js'
import { UsageError } from '../../src/lib/errors.js'
import {
  ARGON2_PARAMETERS,
  checkPassword,
  hashPassword,
  needsRehash,
  verifyPassword,
} from '../../src/lib/installer/password.js'
import { PasswordQueue } from '../../src/lib/installer/password-queue.js'
import { Secret } from '../../src/lib/secret.js'

const GOOD = new Secret('four quiet roofs sing')
const context = ['installer@example.com', 'installer', 'Ines Taller-Garcia']

describe('the password policy', () => {
  const good: [name: string, password: string][] = [
    ['fifteen characters', 'abcdefghijklmno'],
    ['256 characters', 'abcdefgh'.repeat(32)],
    ['letters alone', 'correcthorsebattery'],
    ['fifteen characters of any script', '屋根の上の太陽電池は静かに光る。'],
    ['spaces', 'four quiet roofs'],
    ['the address within a longer phrase', 'installer@example.com climbs'],
  ]
  for (const [name, password] of good) {
    it(`takes ${name}`, () => checkPassword(new Secret(password), context))
  }

  const bad: [name: string, password: string][] = [
    ['fourteen characters', 'abcdefghijklmn'],
    ['fourteen characters that take 56 bytes', '🌞🌝🌛🌜🌚🌕🌖🌗🌘🌑🌒🌓🌔🌙'],
    ['257 characters', 'abcdefgh'.repeat(32) + 'i'],
    ['one key held down', 'a'.repeat(40)],
    ['four characters over and over', 'abcd'.repeat(10)],
    ['the e-mail address', 'Installer@Example.com'],
    ['the name, spelt another way', 'INES taller garcia'],
    ['the account twice', 'installerinstaller'],
    ['what everybody tries', 'PasswordPassword'],
  ]
  for (const [name, password] of bad) {
    it(`refuses ${name} without repeating it`, () =>
      throws(
        () => checkPassword(new Secret(password), context),
        (error) => error instanceof UsageError && !error.message.includes(password),
      ))
  }
})

describe('a password hash', () => {
  it("is argon2id with OWASP's parameters and a salt of its own", async () => {
    const hashes = await Promise.all(
      [GOOD, GOOD].map((password) => hashPassword(password, systemRandom)),
    )
    for (const hash of hashes) match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    ok(hashes[0] !== hashes[1])
    deepEqual(ARGON2_PARAMETERS, { memoryCost: 19_456, timeCost: 2, parallelism: 1 })
  })

  it('knows its password and no other', async () => {
    const hash = await hashPassword(GOOD, systemRandom)
    equal(await verifyPassword(hash, GOOD), true)
    equal(await verifyPassword(hash, new Secret('four quiet roofs sink')), false)
  })

  it('does not care how a keyboard composes an accent', async () => {
    const hash = await hashPassword(new Secret('caf\u00e9 on the quiet roof'), systemRandom)
    equal(await verifyPassword(hash, new Secret('cafe\u0301 on the quiet roof')), true)
  })

  it('is renewed when the parameters change', async () => {
    const argon2 = await import('argon2')
    const weak = await argon2.hash('four quiet roofs sing', {
      memoryCost: 8192,
      timeCost: 1,
      parallelism: 1,
    })
    equal(await needsRehash(weak), true)
    equal(await needsRehash(await hashPassword(GOOD, systemRandom)), false)
  })

  it('of nobody is never right and takes as long as a real one', async () => {
    const hash = await hashPassword(GOOD, systemRandom)
    // Processor time of all threads: wall time would measure what else the machine does.
    const cost = async (given: string | undefined): Promise<number> => {
      const before = process.cpuUsage()
      for (let round = 0; round < 5; round += 1)
        equal(await verifyPassword(given, new Secret('four quiet roofs sink')), false)
      const { user, system } = process.cpuUsage(before)
      return (user + system) / 1000
    }
    const [real, nobodys] = [await cost(hash), await cost(undefined)]
    ok(nobodys > real / 2, `a dummy took ${nobodys} ms, a real one ${real} ms`)
  })
})

describe('the queue of passwords', () => {
  it('runs two at once, lets 32 wait and turns the rest away at once', async () => {
    const queue = new PasswordQueue()
    let running = 0
    let most = 0
    const work = async (): Promise<'done'> => {
      running += 1
      most = Math.max(most, running)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
      return 'done'
    }
    const results = await Promise.all(Array.from({ length: 50 }, () => queue.run(work)))
    equal(most, 2)
    equal(results.filter((result) => result === 'busy').length, 50 - 34)
    equal(await queue.run(work), 'done')
  })

  it('goes on after work that fails', async () => {
    const queue = new PasswordQueue()
    const failing = Array.from({ length: 5 }, () =>
      queue.run(() => Promise.reject(new Error('fault'))).catch(() => 'failed' as const),
    )
    deepEqual(new Set(await Promise.all(failing)), new Set(['failed']))
    equal(await queue.run(async () => 'done'), 'done')
  })
})
