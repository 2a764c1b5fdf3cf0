import type { RouterDriver } from '../types.js'

/** The next step for what a check finds on one kind of router. */
export interface Advice {
  encryption(section: string): string
  pmf(section: string): string
  wps(section: string): string
  extra(installation: string, section: string): string
  password(installation: string, account: string): string
  passwordLogin: string
  authorizedKey: string
  log: string
  flash: string
}

const uci = (section: string, option: string) =>
  `on the router: uci set wireless.${section}.${option}`

const OPENWRT: Advice = {
  encryption: (section) => uci(section, 'encryption=sae-mixed'),
  pmf: (section) => uci(section, 'ieee80211w=1'),
  wps: (section) => uci(section, 'wps_pushbutton=0'),
  extra: (installation, section) =>
    `on the router of ${installation}: uci delete wireless.${section}`,
  password: (installation, account) => `on the router of ${installation}: passwd ${account}`,
  passwordLogin: 'on the router: uci set dropbear.@dropbear[0].PasswordAuth=off',
  authorizedKey: 'on the router: remove it from /etc/dropbear/authorized_keys',
  log: 'on the router: logread',
  flash: 'on the router: df -k',
}

const ROUTEROS: Advice = {
  encryption: (section) =>
    `on the router, for ${section}: authentication-types=wpa2-psk,wpa3-psk, or wpa2-psk in /interface wireless`,
  pmf: (section) => `on the router, for ${section}: management-protection=allowed`,
  wps: (section) => `on the router, for ${section}: wps=disable, or wps-mode=disabled`,
  extra: (installation, section) => `on the router of ${installation}: remove the item ${section}`,
  password: (installation, account) =>
    `on the router of ${installation}: /user set ${account} password=…`,
  passwordLogin:
    'on the router: a key for each user, and /ip ssh set always-allow-password-login=no',
  authorizedKey: 'on the router: /user ssh-keys print',
  log: 'on the router: /log print',
  flash: 'on the router: /file print',
}

const ADVICE: Record<RouterDriver, Advice> = {
  openwrt: OPENWRT,
  rutos: OPENWRT,
  routeros: ROUTEROS,
}

/** What to do about a finding on such a router. */
export function adviceFor(driver: RouterDriver): Advice {
  return ADVICE[driver]
}
