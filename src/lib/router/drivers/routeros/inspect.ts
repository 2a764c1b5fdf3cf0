import { FailureError } from '../../../errors.js'
import type { SshSession } from '../../../ssh/session.js'
import type { Inspector, RouterState } from '../inspector.js'
import { ask, isYes, printItems, putField, readItems, textOf, type Item } from './console.js'
import { EXTRA_COMMENTS, readMark } from './mark.js'
import { readWifi } from './wifi/read.js'
import type { RosExtra, RosWifi } from './wifi/types.js'

/** What RouterOS shows nobody. */
const UNSEEN = ['the passwords of its accounts', 'the fingerprints of its authorized keys']

/** Reads the state of a router that runs RouterOS 6 or 7, in some six commands. */
export const inspectRouteros: Inspector = async (session, salt) => {
  const system = await readSystem(session)
  const wifi = await readWifi(session, salt)
  const { open } = await readMark(session)
  const [resource] = system('resource')
  const version = textOf(resource, 'version')
  if (version === '') throw new FailureError('router-unreadable', 'it does not say what runs on it')
  const points = wifi.interfaces.filter(({ mode }) => mode === 'ap')
  const users = system('user').filter((user) => !isYes(user, 'disabled'))
  return {
    firmware: { name: 'RouterOS', version },
    hostname: textOf(resource, 'identity'),
    labels: [
      ...system('ethernet').map((item) => textOf(item, 'mac-address').toLowerCase()),
      textOf(resource, 'serial'),
    ].filter((label) => label !== ''),
    accessPoints: points.map((point) => ({
      section: point.name,
      radio: point.name,
      ssid: point.ssid,
      isOn: point.isOn,
      encryption: point.encryption,
      pmf: point.pmf,
      wps: point.wps,
      keyDigest: point.digest,
      isOnAir: point.isOnAir,
      stations: point.stations,
    })),
    others: wifi.interfaces
      .filter(({ mode }) => mode !== 'ap')
      .map(({ name, mode }) => ({ section: name, mode })),
    extras: extrasOf(wifi).map((extra) => ({
      section: sectionOf(extra),
      mac: extra.mac,
      keyDigest: extra.digest,
    })),
    ssh: sshOf(system),
    authorizedKeys: system('key').map((key) => ({
      type: textOf(key, 'key-type') || 'a key',
      fingerprint: undefined,
    })),
    accounts: users.map((user) => ({ name: textOf(user, 'name'), password: 'unseen' })),
    change: open,
    staged: [],
    flash: flashOf(resource),
    unseen: UNSEEN,
  }
}

/** Passphrases that open the Wi-Fi beside those of the interfaces; the same one twice is not another one. */
export function extrasOf({ interfaces, extras }: RosWifi): RosExtra[] {
  const own = new Set(interfaces.map(({ digest }) => digest))
  return extras.filter(({ isOff, digest }) => !isOff && !own.has(digest))
}

/** As which section such a passphrase is known. */
export function sectionOf({ id, comment }: RosExtra): string {
  return Object.values(EXTRA_COMMENTS).find((each) => each === comment) ?? id
}

async function readSystem(session: SshSession): Promise<(kind: string) => Item[]> {
  const lines = await ask(
    session,
    [
      ':put "+resource"',
      putField('version', '[/system resource get version]'),
      putField('identity', '[/system identity get name]'),
      putField('free', '[/system resource get free-hdd-space]'),
      putField('total', '[/system resource get total-hdd-space]'),
      // A virtual machine has no serial number.
      `:local n "";:do {:set n [/system routerboard get serial-number]} on-error={}`,
      putField('serial', '$n'),
      printItems('/interface ethernet', 'ethernet', ['mac-address']),
      ':put "+server"',
      ':local h [/ip ssh print as-value]',
      putField('always', '($h->"always-allow-password-login")'),
      putField('password-authentication', '($h->"password-authentication")'),
      printItems('/user', 'user', ['name', 'disabled']),
      printItems('/user ssh-keys', 'key', ['user', 'key-type']),
      printItems('/ip service', 'service', ['name', 'port', 'disabled']),
    ].join(';'),
  )
  return readItems(lines)
}

/** Who has a key gets in by password only where that is allowed; the setting has another name since 7.23. */
function sshOf(system: (kind: string) => Item[]): RouterState['ssh'] {
  const [server] = system('server')
  const said = textOf(server, 'password-authentication') || textOf(server, 'always')
  if (said === '') return undefined
  const keyed = new Set(system('key').map((key) => textOf(key, 'user')))
  const isForSome = system('user').some((user) => !keyed.has(textOf(user, 'name')))
  const isAlways = /^(?:yes|true)$/.test(said)
  const isNever = textOf(server, 'password-authentication') === 'no'
  return system('service')
    .filter((item) => textOf(item, 'name') === 'ssh' && !isYes(item, 'disabled'))
    .map((item) => ({
      port: Number(textOf(item, 'port')),
      takesPasswords: isAlways || (isForSome && !isNever),
    }))
}

function flashOf(resource: Item | undefined): RouterState['flash'] {
  const [free, total] = ['free', 'total'].map((field) => Number(textOf(resource, field)) / 1024)
  if (free === undefined || total === undefined || !(total > 0)) return undefined
  return { freeKiB: Math.floor(free), totalKiB: Math.floor(total) }
}
