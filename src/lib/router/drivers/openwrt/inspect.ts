import { hostKeyOf } from '../../../ssh/host-key.js'
import type { AccessPointState, Inspector, RouterState } from '../inspector.js'
import {
  readAir,
  readAnswer,
  requireDigest,
  requireNumber,
  unreadable,
  type OnAir,
} from './answer.js'
import { openwrtScript } from './script.js'

/** A router that is on its knees needs long for some dozen commands. */
const TIMEOUT_MS = 60_000

/** Reads the state of a router that runs OpenWrt, or what is built on it, by `inspect.sh`, in one command. */
export const inspectOpenwrt: Inspector = async (session, salt) => {
  const limits = { stdin: Buffer.from(`${salt}\n`), timeoutMs: TIMEOUT_MS }
  const { stdout, code } = await session.run(await openwrtScript('inspect.sh'), limits)
  if (code !== 0) throw unreadable(`its shell ended with ${code ?? 'a signal'}`)
  return readState(stdout.toString('utf8'))
}

/**
 * What `inspect.sh` printed. @throws FailureError for anything else: half an answer is none
 */
export function readState(text: string): RouterState {
  const answer = readAnswer(text)
  const { of, one } = answer
  const [name = '', ...version] = of('firmware').at(-1) ?? []
  if (name === '') throw unreadable('it does not say what runs on it')
  const onAir = sentBy(readAir(answer), of('interface'))
  return {
    firmware: { name, version: version.join(' ') },
    hostname: one('hostname'),
    labels: [...of('mac').flat(), one('serial')].filter((label) => label !== ''),
    accessPoints: of('ap').map((fields) => readAccessPoint(fields, onAir)),
    others: of('other').map(([section = '', mode = '']) => ({ section, mode })),
    extras: of('extra').map(([section = '', mac = '', digest = '']) => ({
      section,
      mac: mac === '*' ? undefined : mac,
      keyDigest: requireDigest(digest),
    })),
    ssh: of('ssh').map(([port, password = '', root = '']) => ({
      port: requireNumber(port),
      takesPasswords: isOn(password) && isOn(root),
    })),
    authorizedKeys: of('key').map(([, blob = '']) => hostKeyOf(Buffer.from(blob, 'base64'))),
    accounts: of('account').map(([account = '', state = '']) => ({
      name: account,
      password: state === 'empty' || state === 'locked' ? state : 'set',
    })),
    change: of('change').map(([state = '', id = '']) => ({ state, id }))[0],
    staged: of('staged').map(([what = '', count]) => ({ what, count: requireNumber(count) })),
    flash: of('flash').map(([free, total]) => ({
      freeKiB: requireNumber(free),
      totalKiB: requireNumber(total),
    }))[0],
    unseen: [],
  }
}

interface Sent extends OnAir {
  section: string | undefined
}

function sentBy(air: readonly OnAir[], interfaces: readonly string[][]): Sent[] {
  const sections = new Map(interfaces.map(([name = '', section = '']) => [name, section]))
  return air
    .filter(({ isUp }) => isUp)
    .map((each) => ({ ...each, section: sections.get(each.interface) }))
}

function readAccessPoint(fields: readonly string[], onAir: readonly Sent[]): AccessPointState {
  const [section = '', radio = '', on, encryption = '', pmf = '', wps, digest = ''] = fields
  const ssid = fields.slice(7).join(' ')
  const sent = onAir.filter((each) => (each.section ?? section) === section && each.ssid === ssid)
  return {
    section,
    radio,
    ssid,
    isOn: on === 'on',
    encryption,
    pmf: pmfOf(pmf, encryption),
    wps: wps === 'on',
    keyDigest: digest === '-' ? undefined : requireDigest(digest),
    isOnAir: sent.length > 0,
    stations: sent.reduce((sum, { stations }) => sum + stations, 0),
  }
}

/** What netifd makes of the option, and where it is not set, of the encryption. */
function pmfOf(option: string, encryption: string): AccessPointState['pmf'] {
  if (option === '2') return 'required'
  if (option === '1') return 'optional'
  if (option === '0') return 'off'
  if (/^(?:sae-mixed|psk3-mixed|wpa3-mixed)/.test(encryption)) return 'optional'
  return /^(?:sae|psk3|owe|wpa3)/.test(encryption) ? 'required' : 'off'
}

const isOn = (value: string) => !/^(?:0|off|no|false|disabled)$/.test(value)
