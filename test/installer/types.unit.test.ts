import { equal, throws } from 'node:assert/strict'
import { UsageError } from '../../src/lib/errors.js'
import { installerState, parseEmail, parseInstallerName } from '../../src/lib/installer/types.js'

describe('an e-mail address', () => {
  const good: [given: string, want: string][] = [
    ['installer@example.com', 'installer@example.com'],
    ['  Installer@Example.COM\t', 'installer@example.com'],
    ['i.n+roof@sub.example-site.com', 'i.n+roof@sub.example-site.com'],
  ]
  for (const [given, want] of good) {
    it(`${JSON.stringify(given)} is stored as ${want}`, () => equal(parseEmail(given), want))
  }

  const bad = [
    '',
    'installer',
    '@example.com',
    'installer@',
    'a b@example.com',
    'installer@example..com',
    'installer@-example.com',
    'installer@example.com\nx',
    'installer@example.com\0',
    'ínstaller@example.com',
    `${'x'.repeat(65)}@example.com`,
    `i@${'example.'.repeat(40)}com`,
    "'; drop table installer; --@example.com",
  ]
  for (const given of bad) {
    it(`${JSON.stringify(given.slice(0, 40))} is refused`, () =>
      throws(() => parseEmail(given), UsageError))
  }
})

describe("an installer's name", () => {
  it('is trimmed', () => equal(parseInstallerName(' Ines Taller '), 'Ines Taller'))
  for (const bad of ['', '  ', 'x'.repeat(201), 'a\nb', 'a\u001b[2Jb']) {
    it(`may not be ${JSON.stringify(bad.slice(0, 20))}`, () =>
      throws(() => parseInstallerName(bad), UsageError))
  }
})

describe("an installer's state", () => {
  const now = new Date('2024-06-15T10:00:00Z')
  const later = new Date('2024-06-15T10:00:01Z')
  const table: [disabledAt: Date | null, lockedUntil: Date | null, want: string][] = [
    [null, null, 'enabled'],
    [null, now, 'enabled'],
    [null, later, 'locked'],
    [now, null, 'disabled'],
    [now, later, 'disabled'],
  ]
  for (const [disabledAt, lockedUntil, want] of table) {
    it(`is ${want} when disabled at ${disabledAt?.toISOString()}, locked until ${lockedUntil?.toISOString()}`, () =>
      equal(installerState({ disabledAt, lockedUntil }, now), want))
  }
})
