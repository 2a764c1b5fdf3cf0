import assert from 'node:assert/strict'
import { ExitCode } from '../../../src/lib/errors.js'
import { SecretSearch } from '../../support/secret-search.js'
import { textOf } from '../../support/routeros/script.js'
import {
  passphraseAt,
  startTestRouteros,
  type TestRouteros,
} from '../../support/routeros/test-routeros.js'
import { FIRST, Plant } from '../rotation/plant.js'

describe('cleverctl router rotate, of RouterOS', () => {
  let plant: Plant
  let router: TestRouteros

  before(async () => {
    plant = await Plant.make(1)
    router = await startTestRouteros()
    await plant.add('solar-1', router, 'routeros', ['--username', 'admin'])
  })
  after(async () => {
    await router?.stop()
    await plant?.remove()
  })

  it('is killed when all is set, finishes by the same command, and says no secret', async () => {
    const words = ['router', 'rotate', 'solar-1', '--what', 'wifi,admin', '--verbose']
    const killed = await plant.run(words, {
      onStart: (tool) => {
        router.console.onChange = ({ menu }) => {
          if (menu === '/user') tool.kill('SIGKILL')
        }
      },
    })
    assert.equal(killed.code, null)
    router.console.onChange = undefined
    const finished = await plant.run(words)
    assert.equal(finished.code, ExitCode.ok, finished.stderr)
    const [password, passphrase] = [
      await plant.secret('solar-1', 'admin'),
      await plant.secret('solar-1', 'wifi'),
    ]
    assert.notEqual(password, FIRST.password)
    assert.equal(textOf(router.console.named('/user', 'admin')?.get('password')), password)
    assert.equal(passphraseAt(router, 'wifi1'), passphrase)
    const search = new SecretSearch()
    search.add('secrets', password, passphrase, FIRST.password, FIRST.passphrase)
    const said = [killed, finished].map(({ stdout, stderr }) => stdout + stderr).join('')
    assert.deepEqual(search.find(said + router.console.log.join('\n')), [])
  })

  it('says what a second passphrase would need, with exit 6 and nothing changed', async () => {
    router.console
      .named('/interface wifi security', 'plant')
      ?.set('authentication-types', 'wpa2-psk,wpa3-psk')
    router.console.items('/interface bridge port').length = 0
    const before = await plant.secret('solar-1', 'wifi')
    const words = ['router', 'rotate', 'solar-1', '--what', 'wifi', '--overlap']
    const { error } = await plant.json(words, ExitCode.conflict)
    assert.equal(error.code, 'overlap-impossible')
    assert.match(error.message, /no port of a bridge/)
    assert.equal(await plant.secret('solar-1', 'wifi'), before)
  })
})
