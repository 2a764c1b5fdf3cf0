import { networkInterfaces } from 'node:os'
import { rmSync } from 'node:fs'
import { outside, writeText, type Machine } from './machine.js'

/** Addresses that nobody else uses: each cable takes four of them. */
const NETWORK = '10.213'
const CABLES = 256 * 64

let cables = 0

/** The cable between this machine and a router: a pair of virtual network cards. */
export class Cable {
  /** The router's address. */
  readonly address: string
  readonly #machine: Machine
  readonly #card: string

  private constructor(machine: Machine, address: string, card: string) {
    this.#machine = machine
    this.address = address
    this.#card = card
  }

  /** Lays a cable to a machine that is off and has a network of its own. It goes when the machine goes. */
  static async lay(machine: Machine): Promise<Cable> {
    const own = freeAddress()
    const address = [...own.slice(0, 3), (own[3] as number) + 1].join('.')
    const card = `cctl${process.pid.toString(36)}x${(cables++).toString(36)}`
    const peer = ['peer', 'name', 'eth0', 'netns', `${machine.holder}`]
    await run('ip', 'link', 'add', card, 'type', 'veth', ...peer)
    await run('ip', 'addr', 'add', `${own.join('.')}/30`, 'dev', card)
    await run('ip', 'link', 'set', card, 'up')
    writeText(machine.worldPath('cable'), '')
    return new Cable(machine, address, card)
  }

  /** Cuts it: nothing arrives any more, and nobody is told. */
  async cut(): Promise<void> {
    writeText(this.#machine.worldPath('cut'), '')
    await this.unplug()
  }

  /** Puts it together again. */
  async plug(): Promise<void> {
    rmSync(this.#machine.worldPath('cut'), { force: true })
    await this.#set('up')
    // Else what asks for the router now shares the answer of those who asked in vain.
    await run('ip', 'neigh', 'flush', 'dev', this.#card)
  }

  /** As when the machine has no power: it answers nothing. */
  async unplug(): Promise<void> {
    await this.#set('down')
  }

  /** Takes it away; to be called while the machine is still there. */
  async remove(): Promise<void> {
    await outside(['ip', 'link', 'delete', this.#card])
  }

  async #set(state: 'up' | 'down'): Promise<void> {
    const target = ['--target', `${this.#machine.holder}`, '--net']
    await run('nsenter', ...target, 'ip', 'link', 'set', 'eth0', state)
  }
}

/** The first of two addresses of a network of four that no card of this machine has. */
function freeAddress(): number[] {
  const taken = new Set(
    Object.values(networkInterfaces()).flatMap((each) => each?.map(({ address }) => address)),
  )
  for (let tries = 0; tries < CABLES; tries++) {
    const place = Math.floor(Math.random() * CABLES)
    const own = [...NETWORK.split('.').map(Number), place >> 6, (place & 63) * 4 + 1]
    if (!taken.has(own.join('.'))) return own
  }
  throw new Error('no address is left for a cable')
}

async function run(...command: string[]): Promise<void> {
  const { code, stderr } = await outside(command)
  if (code !== 0) throw new Error(`${command.join(' ')}: ${stderr}`)
}
