import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Connection, ServerConfig } from 'ssh2'
import { hostKeyOf } from '../../../src/lib/ssh/host-key.js'
import type { HostKey } from '../../../src/lib/ssh/types.js'
import { FIRST } from '../../router/rotation/plant.js'
import { RosConsole } from './console.js'
import { wifiMenuOf, type Flavour } from './menus.js'
import { textOf } from './script.js'

/** How such a router comes out of its box. */
export interface RosBox {
  flavour?: Flavour
  username?: string
  password?: string
  ssid?: string
  passphrase?: string
  /** Names of its access points. */
  points?: readonly string[]
  /** Where the passphrase is set; only the newer drivers have more than one place. */
  setAt?: 'interface' | 'security' | 'configuration'
  authenticationTypes?: string
  /** So many seconds of the router pass in one. */
  speed?: number
  /** Public keys, in the form of OpenSSH, that open it. */
  keys?: readonly string[]
}

/**
 * A router with a recorded console: an SSH server in this process that answers the commands of the driver as the
 * documentation of RouterOS says that RouterOS does. No RouterOS was ever asked; test/router/routeros has the table of
 * what is known of it, and from where.
 */
export interface TestRouteros {
  readonly address: string
  readonly port: number
  readonly hostKey: HostKey
  readonly menu: string
  readonly console: RosConsole
  /** Lines that came, one for each command. */
  readonly commands: readonly string[]
  /** Breaks every connection; what a console does goes on. */
  cutLink(): void
  /** Loses the power and gets it back. */
  reboot(): void
  stop(): Promise<void>
}

/** Starts one on a free port of the loopback. */
export async function startTestRouteros(box: RosBox = {}): Promise<TestRouteros> {
  const { default: ssh2 } = await import('ssh2')
  const { flavour = '7.20 wifi', speed = 50, keys = [] } = box
  const menu = wifiMenuOf(flavour)
  const console = new RosConsole(flavour, speed)
  furnish(console, { ...box, flavour })
  const pair = newKeyPair(ssh2.utils)
  const commands: string[] = []
  const connections = new Set<Connection>()
  const allowed = keys.map((key) => ssh2.utils.parseKey(key))
  const config: ServerConfig = { hostKeys: [pair.private] }
  const server = new ssh2.Server(config, (connection) => {
    connections.add(connection)
    connection.on('error', () => undefined)
    connection.on('close', () => connections.delete(connection))
    connection.on('authentication', (context) => {
      const user = console.named('/user', context.username)
      if (context.method === 'password' && user?.get('password') === context.password)
        context.accept()
      else if (
        context.method === 'publickey' &&
        allowed.some(
          (key) => !(key instanceof Error) && key.getPublicSSH().equals(context.key.data),
        )
      )
        context.accept()
      else context.reject(['password', 'publickey'])
    })
    connection.on('session', (accept) => {
      accept().on('exec', (acceptExec, _reject, { command }) => {
        commands.push(command)
        const channel = acceptExec()
        void console.execute(command).then((said) => {
          if (said === undefined) return
          channel.write(said)
          // Whatever failed.
          channel.exit(0)
          channel.end()
        })
      })
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const blob = ssh2.utils.parseKey(pair.public)
  if (blob instanceof Error) throw blob
  const cutLink = () => {
    for (const connection of connections) socketOf(connection)?.destroy()
  }
  return {
    address: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    hostKey: hostKeyOf(blob.getPublicSSH()) as HostKey,
    ...{ menu, console, commands, cutLink },
    reboot: () => {
      console.reboot()
      cutLink()
    },
    stop: async () => {
      console.off()
      cutLink()
      server.close()
    },
  }
}

/** ssh2 makes one of some hundred keys in a way that it cannot read itself. */
function newKeyPair(utils: (typeof import('ssh2'))['utils']): { private: string; public: string } {
  for (;;) {
    const pair = utils.generateKeyPairSync('ed25519')
    if (!(utils.parseKey(pair.private) instanceof Error)) return pair
  }
}

/** ssh2 ends a connection politely; a cable does not. */
function socketOf(connection: Connection): { destroy(): void } | undefined {
  return (connection as unknown as { _sock?: { destroy(): void } })._sock
}

function furnish(console: RosConsole, box: RosBox & { flavour: Flavour }): void {
  const {
    flavour,
    username = 'admin',
    password = FIRST.password,
    ssid = FIRST.ssid,
    passphrase = FIRST.passphrase,
    points = ['wifi1'],
    setAt = 'security',
    authenticationTypes = 'wpa2-psk',
    keys = [],
  } = box
  const [version = ''] = flavour.split(' ')
  const mebibyte = 1024 * 1024
  console.set('/system resource', {
    version: `${version} (stable)`,
    'free-hdd-space': 80 * mebibyte,
    'total-hdd-space': 128 * mebibyte,
  })
  console.set('/system identity', { name: 'MikroTik' })
  console.set('/system routerboard', { 'serial-number': 'HXX08A1B2C3' })
  console.set('/ip ssh', { 'always-allow-password-login': false })
  console.add('/interface ethernet', { name: 'ether1', 'mac-address': '48:A9:8A:00:11:22' })
  console.add('/ip service', { name: 'ssh', port: 22, disabled: false })
  console.add('/user', { name: username, group: 'full', password, disabled: false })
  for (const key of keys)
    console.add('/user ssh-keys', { user: username, 'key-owner': key.split(' ')[2] ?? '' })
  if (console.isMenu('/system device-mode'))
    console.set('/system device-mode', { mode: 'advanced', scheduler: true })
  const menu = wifiMenuOf(flavour)
  for (const name of points)
    console.add('/interface bridge port', { interface: name, bridge: 'bridge', pvid: 1 })
  if (menu === '/interface wireless') {
    console.add(`${menu} security-profiles`, {
      ...{ name: 'plant', mode: 'dynamic-keys', 'authentication-types': authenticationTypes },
      ...{ 'unicast-ciphers': 'aes-ccm', 'management-protection': 'disabled' },
      'wpa2-pre-shared-key': passphrase,
    })
    for (const name of points)
      console.add(menu, {
        ...{ name, mode: 'ap-bridge', ssid, 'security-profile': 'plant', disabled: false },
        'wps-mode': 'disabled',
      })
    return
  }
  const settings = { 'authentication-types': authenticationTypes, wps: 'disable', passphrase }
  const inner = Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [`security.${name}`, value]),
  )
  console.add(`${menu} security`, { name: 'plant', ...(setAt === 'security' ? settings : {}) })
  console.add(`${menu} configuration`, {
    ...{ name: 'plant', ssid, security: 'plant' },
    ...(setAt === 'configuration' ? inner : {}),
  })
  for (const name of points)
    console.add(menu, {
      ...{ name, disabled: false },
      ...(setAt === 'interface'
        ? { 'configuration.ssid': ssid, 'configuration.mode': 'ap', ...inner }
        : { configuration: 'plant' }),
    })
}

/** The passphrase that is in force at an access point. */
export function passphraseAt({ console, menu }: TestRouteros, point: string): string {
  const item = console.named(menu, point)
  if (menu === '/interface wireless')
    return textOf(
      console
        .named(`${menu} security-profiles`, textOf(item?.get('security-profile')))
        ?.get('wpa2-pre-shared-key'),
    )
  const configuration = console.named(`${menu} configuration`, textOf(item?.get('configuration')))
  const security = console.named(`${menu} security`, textOf(configuration?.get('security')))
  const [inline, inherited] = [item, configuration].map((each) =>
    textOf(each?.get('security.passphrase')),
  )
  return inline || inherited || textOf(security?.get('passphrase'))
}
