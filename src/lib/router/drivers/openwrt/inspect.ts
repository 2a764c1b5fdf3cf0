import { readFile } from 'node:fs/promises'
import { FailureError } from '../../../errors.js'
import { packagedFile } from '../../../packaged-file.js'
import { hostKeyOf } from '../../../ssh/host-key.js'
import type { AccessPointState, Inspector, RouterState } from '../inspector.js'

const DIGEST = /^[0-9a-f]{64}$/
/** A router that is on its knees needs long for some dozen commands. */
const TIMEOUT_MS = 60_000

let script: string | undefined

/** Reads the state of a router that runs OpenWrt, or what is built on it, by `inspect.sh`, in one command. */
export const inspectOpenwrt: Inspector = async (session, salt) => {
  script ??= await readFile(packagedFile('router/drivers/openwrt/inspect.sh'), 'utf8')
  const limits = { stdin: Buffer.from(`${salt}\n`), timeoutMs: TIMEOUT_MS }
  const { stdout, code } = await session.run(script, limits)
  if (code !== 0) throw unreadable(`its shell ended with ${code ?? 'a signal'}`)
  return readState(stdout.toString('utf8'))
}

/**
 * What `inspect.sh` printed. @throws FailureError for anything else: half an answer is none
 */
export function readState(text: string): RouterState {
  const lines = text.split('\n').filter((line) => line !== '')
  if (lines.pop() !== 'end') throw unreadable('the answer has no end')
  const facts = new Map<string, string[][]>()
  for (const line of lines) {
    const [kind = '', ...fields] = line.split(' ')
    facts.set(kind, [...(facts.get(kind) ?? []), fields])
  }
  const of = (kind: string) => facts.get(kind) ?? []
  const one = (kind: string) => of(kind).at(-1)?.join(' ').trim() ?? ''
  const [name = '', ...version] = of('firmware').at(-1) ?? []
  if (name === '') throw unreadable('it does not say what runs on it')
  const onAir = readAir(of('air'), of('interface'))
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

interface OnAir {
  section: string | undefined
  ssid: string
  stations: number
}

function readAir(air: readonly string[][], interfaces: readonly string[][]): OnAir[] {
  const sections = new Map(interfaces.map(([name = '', section = '']) => [name, section]))
  return air
    .filter(([, status]) => status === 'ENABLED')
    .map(([name = '', , stations, ...ssid]) => ({
      section: sections.get(name),
      ssid: unescaped(ssid.join(' ')),
      stations: requireNumber(stations),
    }))
}

function readAccessPoint(fields: readonly string[], onAir: readonly OnAir[]): AccessPointState {
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

function unescaped(text: string): string {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'string') return value
  } catch {
    // What cannot be read is not the name that is looked for.
  }
  return ''
}

function requireDigest(text: string): string {
  if (DIGEST.test(text)) return text
  throw unreadable('it cannot digest a passphrase')
}

function requireNumber(text: string | undefined): number {
  if (text !== undefined && /^\d+$/.test(text)) return Number(text)
  throw unreadable('a number is missing')
}

function unreadable(reason: string): FailureError {
  return new FailureError('router-unreadable', `the router's answer is not understood: ${reason}`)
}
