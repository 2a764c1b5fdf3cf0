import type { FindingLevel, FindingRule } from '../../findings/types.js'
import type { Secret } from '../../secret.js'
import type { Wifi } from '../rotation/wifi.js'
import type { RouterDriver, RouterLogin } from '../types.js'

/** Severities, the gravest first. */
export const SEVERITIES = ['error', 'warning', 'note'] as const satisfies readonly FindingLevel[]

/** What is held against routers, the gravest first. */
export const CHECK_RULES = [
  {
    id: 'host-key-changed',
    level: 'error',
    summary: 'the router shows another host key than the pinned one',
    help: 'Nothing was sent to it. Either it was reset or replaced, or something else answers in its place. Find out which; `router rekey` pins the new key.',
  },
  {
    id: 'password-refused',
    level: 'error',
    summary: 'the router refuses the recorded credential',
    help: 'Somebody changed it on the router. Nothing more was tried, because routers shut an address out after wrong passwords.',
  },
  {
    id: 'empty-password',
    level: 'error',
    summary: 'an account of the router has no password',
    help: 'Anybody in its network gets in.',
  },
  {
    id: 'ssid-changed',
    level: 'error',
    summary: 'an access point has another name than the recorded one',
    help: 'Loggers that know the recorded name do not find it. Record what is right, or put it back.',
  },
  {
    id: 'wifi-key-changed',
    level: 'error',
    summary: 'an access point has another passphrase than the recorded one',
    help: 'Compared by digest; the passphrase stays on the router. Somebody changed it by hand.',
  },
  {
    id: 'extra-passphrase',
    level: 'error',
    summary: 'another passphrase works beside the recorded one',
    help: 'Who knows it joins the Wi-Fi. Remove it if nobody knows what it is for.',
  },
  {
    id: 'not-on-air',
    level: 'error',
    summary: 'an access point is switched on and not on air',
    help: 'Its settings are refused by the radio, or the radio failed. The log of the router says why.',
  },
  {
    id: 'weak-encryption',
    level: 'error',
    summary: 'the Wi-Fi is open, or encrypted in a way that is broken',
    help: 'WEP and TKIP can be broken, WPA is deprecated. Use sae-mixed, or psk2 where loggers know no WPA3.',
  },
  {
    id: 'default-secret',
    level: 'error',
    summary: 'a password or passphrase is one that everybody knows',
    help: 'It is on lists that attackers try first.',
  },
  {
    id: 'derived-secret',
    level: 'error',
    summary: 'a password or passphrase can be computed from what the router shows',
    help: 'It is a MAC address, a serial number or a name, or a usual function of one. ETSI EN 303 645, provision 5.1-2, forbids it.',
  },
  {
    id: 'shared-secret',
    level: 'error',
    summary: 'another router has the same password or passphrase',
    help: 'Who opens one opens both. Compared by digest.',
  },
  {
    id: 'unknown-authorized-key',
    level: 'error',
    summary: 'a public key opens the router that is not the recorded one',
    help: 'Remove it, or record whose it is. RouterOS shows no fingerprints: there keys are counted.',
  },
  {
    id: 'wps-on',
    level: 'warning',
    summary: 'WPS is switched on',
    help: 'Its PIN can be guessed, and its button lets anybody in who is near.',
  },
  {
    id: 'firmware-outdated',
    level: 'warning',
    summary: 'the firmware is older than the wanted one',
    help: 'Known faults stay open.',
  },
  {
    id: 'firmware-unknown',
    level: 'warning',
    summary: 'the firmware does not say which version it is',
    help: 'It cannot be compared with the wanted one.',
  },
  {
    id: 'unfinished-rotation',
    level: 'warning',
    summary: 'a rotation of secrets has not come to its end',
    help: 'The router goes back by itself unless the change is confirmed; `router reconcile` settles it.',
  },
  {
    id: 'staged-edits',
    level: 'warning',
    summary: 'somebody has edits on the router that are not saved',
    help: 'The next commit, by whomever, takes them along. A rotation refuses to begin.',
  },
  {
    id: 'flash-full',
    level: 'warning',
    summary: 'the flash is nearly full',
    help: 'A commit on a full flash reports success and leaves an empty file.',
  },
  {
    id: 'pmf-off',
    level: 'note',
    summary: 'management frames are not protected',
    help: 'Anybody near can cut loggers off (IEEE 802.11w). `option ieee80211w 1` where loggers can do it.',
  },
  {
    id: 'not-seen',
    level: 'note',
    summary: 'something of the router cannot be seen, and was not judged',
    help: 'Such routers show it to nobody. What was not looked at is not good; it is only not known.',
  },
  {
    id: 'ssh-password-login',
    level: 'note',
    summary: 'the router lets people in by password over SSH',
    help: 'A key cannot be guessed. Switch passwords off when the recorded key opens the router.',
  },
] as const satisfies readonly FindingRule[]

/** The name of a rule. */
export type CheckRuleId = (typeof CHECK_RULES)[number]['id']

/** One thing that is held against a router. */
export interface RouterFinding {
  installation: string
  rule: CheckRuleId
  severity: FindingLevel
  /** What was seen, in words; never a secret, nor its digest. */
  evidence: string
  /** A command, or a step in words. */
  next: string
}

/** A router that could not be looked at, and why. */
export interface UncheckedRouter {
  installation: string
  code: string
  reason: string
}

/** How routers are, measured against what is recorded of them. */
export interface RouterCheck {
  /** By installation, the gravest first. */
  findings: RouterFinding[]
  notChecked: UncheckedRouter[]
  /** How many were logged in to and looked at. */
  checked: number
  checkedAt: string
}

/** What a router should be like. */
export interface Expected {
  installation: string
  driver: RouterDriver
  login: RouterLogin
  wifi: Wifi | undefined
  /** It works beside the new one while loggers move. */
  former: Wifi | undefined
  password: Secret | undefined
  /** Fingerprints of the keys that may open it; undefined where they are not recorded. */
  keys: readonly string[] | undefined
  /** Whether a rotation has not been settled. */
  isRotating: boolean
  /** The firmware that it should have at least. */
  wantedFirmware: string | undefined
}

/** A finding of a rule; its severity is the rule's. */
export function finding(
  rule: CheckRuleId,
  installation: string,
  evidence: string,
  next: string,
): RouterFinding {
  const severity = CHECK_RULES.find(({ id }) => id === rule)?.level ?? 'error'
  return { installation, rule, severity, evidence, next }
}
