import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freshDatabase, type FreshDatabase } from '../support/database.js'
import { homeWorkspace, spawnGate } from '../support/gate.js'
import { preparePlant, type TestDevice, type TestPlant } from '../support/plant.js'
import { until } from '../support/until.js'
import { type GateClient } from '../support/gate-client.js'
import { seeded } from '../support/seeded.js'

const RUNS = 20
const SENDERS = 16
const WORKER_KILLS = 3
/** A connection that is being handed to a worker when that is killed gets no answer and no end. */
const PATIENCE_MS = 10_000

describe('a gate that is killed under load', () => {
  let fresh: FreshDatabase
  let home: string
  let plant: TestPlant
  let devices: TestDevice[]

  before(async () => {
    fresh = await freshDatabase()
    home = mkdtempSync(join(tmpdir(), 'cctl-kill-'))
    plant = await preparePlant(fresh.database, { workspace: await homeWorkspace(fresh, home) })
    devices = await Promise.all(
      Array.from({ length: SENDERS }, (_, index) =>
        plant.addDevice(`CDX-${String(index).padStart(6, '0')}`, plant.installation),
      ),
    )
  })

  after(async () => {
    await fresh?.drop()
    rmSync(home, { recursive: true, force: true })
  })

  const random = seeded()
  const begin = Date.now() - 30 * 86_400_000
  const acknowledged = new Map<string, number>()
  let number = 0

  /** Posts until the connection breaks; sends some readings twice, as a logger without an answer does. */
  const send = async (
    client: GateClient,
    device: TestDevice,
    token: string,
    isOver = () => false,
  ) => {
    while (!isOver()) {
      const readings = Array.from({ length: 1 + random.below(5) }, () => {
        number += 1
        return { at: new Date(begin + number).toISOString(), values: { number } }
      })
      const times = 1 + random.below(2)
      for (let time = 0; time < times; time += 1) {
        const answer = await client
          .post({ apiKey: plant.apiKey, token }, readings, PATIENCE_MS)
          .catch(() => undefined)
        if (answer === undefined) return
        if (answer.status !== 202) continue
        const { accepted, duplicates } = answer.body
        assert.equal(Number(accepted) + Number(duplicates), readings.length)
        for (const { at, values } of readings) acknowledged.set(`${device.id} ${at}`, values.number)
      }
    }
  }

  /** Every reading that was acknowledged so far is stored, once. */
  const nothingIsLost = async () => {
    const { rows } = await fresh.database.query<{ device_id: string; at: Date; number: number }>(
      `select device_id, at, ("values"->>'number')::int as number from cleverctl.reading`,
    )
    const stored = new Map(
      rows.map((row) => [`${row.device_id} ${row.at.toISOString()}`, row.number]),
    )
    assert.equal(stored.size, rows.length, 'stored twice')
    for (const [name, value] of acknowledged) {
      assert.equal(stored.get(name), value, `${name} was acknowledged (SEED=${random.seed})`)
    }
  }

  it('has stored every reading that it acknowledged, once, in twenty runs', async () => {
    for (let run = 0; run < RUNS; run += 1) {
      const gate = await spawnGate({
        home,
        env: { CLEVERCTL_DATABASE_URL: fresh.url },
        args: ['--no-limits'],
      })
      const before = acknowledged.size
      const sending = devices.map((device) => send(gate.client, device, plant.token(device.serial)))
      await until(() => acknowledged.size > before, 20_000)
      await delay(random.below(400))
      await gate.end('SIGKILL')
      await Promise.all(sending)
    }
    await nothingIsLost()
  })

  it('has lost nothing when workers of it are killed, replaces them, and ends with all of them', async () => {
    const gate = await spawnGate({
      home,
      env: { CLEVERCTL_DATABASE_URL: fresh.url },
      args: ['--no-limits', '--workers', '2'],
    })
    let isOver = false
    const sending = devices.map(async (device) => {
      // A broken connection was that of a killed worker; the next one leads to another.
      while (!isOver) await send(gate.client, device, plant.token(device.serial), () => isOver)
    })
    const workers = () => childrenOf(gate.child.pid ?? 0)
    try {
      for (let kill = 0; kill < WORKER_KILLS; kill += 1) {
        await until(() => workers().length === 2, 20_000)
        const before = acknowledged.size
        await until(() => acknowledged.size > before + 100, 20_000)
        const victim = random.pick(workers())
        process.kill(victim, 'SIGKILL')
        await until(() => !workers().includes(victim), 20_000)
      }
      await until(() => workers().length === 2, 20_000)
      const before = acknowledged.size
      await until(() => acknowledged.size > before + 100, 20_000)
      const last = workers()
      isOver = true
      await Promise.all(sending)
      assert.equal(await gate.end('SIGTERM'), 143)
      for (const pid of last) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
      assert.equal(gate.stderr().match(/"worker.died"/g)?.length, WORKER_KILLS)
    } finally {
      isOver = true
      await gate.end('SIGTERM')
    }
    await nothingIsLost()
  })
})

/** The processes that a process started and that still live. */
function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return text.trim().split(' ').filter(Boolean).map(Number)
}
