import assert from 'node:assert/strict'
import { network, storableAddress } from '../../src/lib/gate/address.js'
import { DEFAULT_LIMITS, Limits, NO_LIMITS } from '../../src/lib/gate/limits.js'

describe('limits of a gate', () => {
  it('count an IPv6 network as one address', () => {
    const cases: [string, string][] = [
      ['192.0.2.7', '192.0.2.7'],
      ['::ffff:192.0.2.7', '192.0.2.7'],
      ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
      ['2001:db8:1:2::6', '2001:db8:1:2'],
      ['2001:db8::6', '2001:db8:0:0'],
      ['::1', '0:0:0:0'],
      ['fe80::', 'fe80:0:0:0'],
      ['not an address', 'not an address'],
    ]
    for (const [address, name] of cases) assert.equal(network(address), name, address)
  })

  it('store an address without its zone, and nothing that is none', () => {
    assert.equal(storableAddress('192.0.2.7'), '192.0.2.7')
    assert.equal(storableAddress('fe80::1%eth0'), 'fe80::1')
    assert.equal(storableAddress("'; drop table"), null)
  })

  it('stop an address after its requests and let another one go on', async () => {
    const limits = await Limits.open({ ...NO_LIMITS, perAddress: 3 })
    for (let turn = 0; turn < 3; turn += 1)
      assert.equal(await limits.request('192.0.2.7'), undefined)
    const wait = await limits.request('192.0.2.7')
    assert.ok(wait !== undefined && wait >= 1 && wait <= 10, String(wait))
    assert.equal(await limits.request('192.0.2.8'), undefined)
  })

  it('stop an address after its failures', async () => {
    const limits = await Limits.open({ ...NO_LIMITS, failuresPerAddress: 2 })
    limits.fail('192.0.2.7')
    assert.equal(await limits.request('192.0.2.7'), undefined)
    limits.fail('192.0.2.7')
    assert.ok((await limits.request('192.0.2.7')) !== undefined)
    assert.equal(await limits.request('192.0.2.8'), undefined)
  })

  it('stop a key and a device by themselves', async () => {
    const limits = await Limits.open({ ...NO_LIMITS, perKey: 3, perDevice: 2 })
    assert.equal(await limits.arrival('k7Qd2XbA', 'CDX-000123'), undefined)
    assert.equal(await limits.arrival('k7Qd2XbA', 'CDX-000123'), undefined)
    assert.ok((await limits.arrival('k7Qd2XbA', 'CDX-000123')) !== undefined)
    assert.ok((await limits.arrival('k7Qd2XbA', 'CDX-000124')) !== undefined)
    assert.equal(await limits.arrival('m3Qd2XbA', 'CDX-000124'), undefined)
  })

  it('are off when they are lifted', async () => {
    const limits = await Limits.open(NO_LIMITS)
    for (let turn = 0; turn < 1_000; turn += 1) {
      limits.fail('192.0.2.7')
      assert.equal(await limits.request('192.0.2.7'), undefined)
      assert.equal(await limits.arrival('k7Qd2XbA', 'CDX-000123'), undefined)
    }
  })

  it('leave failures far less room than requests', () => {
    assert.ok(DEFAULT_LIMITS.failuresPerAddress * 10 <= DEFAULT_LIMITS.perAddress)
  })
})
