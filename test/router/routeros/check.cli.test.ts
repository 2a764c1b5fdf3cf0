import assert from 'node:assert/strict'
import { ExitCode } from '../../../src/lib/errors.js'
import type { RouterCheck } from '../../../src/lib/router/check/types.js'
import { SecretSearch } from '../../support/secret-search.js'
import {
  startTestRouteros,
  type RosBox,
  type TestRouteros,
} from '../../support/routeros/test-routeros.js'
import { FIRST, Plant } from '../rotation/plant.js'

describe('cleverctl router check, of RouterOS', () => {
  let plant: Plant
  const routers: TestRouteros[] = []

  // Routers of one plant would share the secrets that they come with.
  beforeEach(async () => {
    plant = await Plant.make(1)
  })
  afterEach(async () => {
    await Promise.all(routers.splice(0).map((router) => router.stop()))
    await plant.remove()
  })

  const recorded = async (box: RosBox = {}) => {
    const router = await startTestRouteros(box)
    routers.push(router)
    const installation = 'solar-1'
    await plant.add(installation, router, 'routeros', ['--username', 'admin'])
    return { router, installation }
  }
  const check = async (installation: string, code: number) => {
    const result = await plant.run(['router', 'check', installation, '--json', '--verbose'])
    assert.equal(result.code, code, result.stdout + result.stderr)
    const document = result.json() as RouterCheck & { error?: { result: RouterCheck } }
    const { findings, notChecked } = document.error?.result ?? document
    return {
      rules: findings.map(({ rule }) => rule),
      notChecked,
      said: result.stdout + result.stderr,
    }
  }

  for (const flavour of ['6.49', '7.20 wifi'] as const)
    it(`says of ${flavour} as it is recorded that it is, and what it could not see`, async () => {
      const { installation, router } = await recorded({ flavour })
      const { rules } = await check(installation, ExitCode.ok)
      const pmf = flavour === '6.49' ? ['pmf-off'] : []
      assert.deepEqual(rules, [...pmf, 'ssh-password-login', 'not-seen'])
      assert.ok(!router.commands.some((line) => /\b(?:set|add|remove) \[?\(?\$?[a"/]/.test(line)))
    })

  it('finds what was changed by hand, without a secret in anything it says', async () => {
    const { installation, router } = await recorded()
    const changed = 'changed-by-hand-123'
    const { console, menu } = router
    console.named(`${menu} security`, 'plant')?.set('passphrase', changed)
    console.add(`${menu} security multi-passphrase`, { group: 'g', passphrase: 'another-one-1' })
    console.add('/user ssh-keys', { user: 'admin', 'key-owner': 'somebody' })
    const { rules, said } = await check(installation, ExitCode.findings)
    assert.deepEqual(rules, [
      ...['wifi-key-changed', 'extra-passphrase', 'unknown-authorized-key', 'not-seen'],
    ])
    const search = new SecretSearch()
    search.add('on the router', changed, 'another-one-1')
    search.add('recorded', FIRST.passphrase, FIRST.password)
    assert.deepEqual(search.find(said), [])
  })

  it('does not call a router good whose passphrases it may not see', async () => {
    const { installation, router } = await recorded()
    router.console.policies = ['read', 'write']
    const { notChecked } = await check(installation, ExitCode.failure)
    assert.deepEqual(
      notChecked.map(({ code }) => code),
      ['router-unreadable'],
    )
  })

  it('tells a refused credential', async () => {
    const { installation, router } = await recorded()
    router.console.named('/user', 'admin')?.set('password', 'another')
    const { rules } = await check(installation, ExitCode.refused)
    assert.deepEqual(rules, ['password-refused'])
  })
})
