import { setTimeout as sleep } from 'node:timers/promises'
import type { ChildProcess } from 'node:child_process'
import type { Plant } from '../rotation/plant.js'
import type { TestRouter } from '../../support/router/test-router.js'

/** What a fault is done to. */
export interface Scene {
  plant: Plant
  installation: string
  router: TestRouter
  tool: ChildProcess
}

/** Something that goes wrong in the middle of a rotation. @returns what puts it right afterwards, before the next command */
export type Fault = (scene: Scene) => Promise<(() => Promise<void>) | undefined>

const CHANNELS = [1, 6, 11]
let edits = 0

/** By name. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  kill: async ({ tool }) => {
    tool.kill('SIGKILL')
    return undefined
  },
  interrupt: async ({ tool }) => {
    tool.kill('SIGINT')
    return undefined
  },
  'blink of the link': async ({ router }) => {
    await router.cutLink()
    await sleep(800)
    await router.plugLink()
    return undefined
  },
  'link cut': async ({ router }) => {
    await router.cutLink()
    return () => router.plugLink()
  },
  'link cut and kill': async ({ router, tool }) => {
    await router.cutLink()
    tool.kill('SIGKILL')
    return () => router.plugLink()
  },
  reboot: async ({ router }) => {
    await router.reboot()
    return undefined
  },
  'power cut': async ({ router }) => {
    await router.cutPower()
    await router.boot()
    return undefined
  },
  'power cut and kill': async ({ router, tool }) => {
    await router.cutPower()
    tool.kill('SIGKILL')
    await router.boot()
    return undefined
  },
  'full flash': async ({ router }) => {
    await router.fillFlash()
    return async () => router.freeFlash()
  },
  'full flash and kill': async ({ router, tool }) => {
    await router.fillFlash()
    tool.kill('SIGKILL')
    return async () => router.freeFlash()
  },
  'another host key': async ({ router, plant, installation }) => {
    await router.changeHostKey()
    return async () => {
      const { fingerprint } = router.hostKey
      await plant.json(['router', 'rekey', installation, '--host-key', fingerprint, '--offline'])
    }
  },
  'edits that somebody saves': async ({ router }) => {
    const channel = CHANNELS[(edits += 1) % CHANNELS.length]
    await router.shell(`uci set wireless.radio0.channel=${channel}; uci commit wireless`)
    return undefined
  },
  'edits that somebody does not save': async ({ router }) => {
    await router.shell('uci set wireless.radio0.txpower=17')
    return async () => {
      await router.shell('uci revert wireless.radio0')
    }
  },
  'a second engineer rotates': async ({ plant, installation }) => {
    await plant.run(['router', 'rotate', installation, '--rollback-after', '6s'])
    return undefined
  },
  'a second engineer reconciles': async ({ plant, installation }) => {
    await plant.run(['router', 'reconcile', installation])
    return undefined
  },
}
