import assert from 'node:assert/strict'
import jsQr from 'jsqr'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PNG } from 'pngjs'
import { ExitCode } from '../../src/lib/errors.js'
import { runCli, runCliTty } from '../support/cli.js'
import { freshDatabase, type FreshDatabase } from '../support/database.js'

const { ok, usage, notFound, conflict } = ExitCode
const HOST_KEY = `SHA256:${'A'.repeat(42)}E`

/** What a phone reads in a picture of dark and light squares. */
function read(squares: readonly (readonly boolean[])[], scale = 4): string | undefined {
  const [width, height] = [(squares[0]?.length ?? 0) * scale, squares.length * scale]
  const pixels = new Uint8ClampedArray(width * height * 4).fill(255)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const isDark = squares[Math.floor(y / scale)]?.[Math.floor(x / scale)] === true
      if (isDark) pixels.fill(0, (y * width + x) * 4, (y * width + x) * 4 + 3)
    }
  }
  return decode(pixels, width, height)
}

function decode(pixels: Uint8ClampedArray, width: number, height: number): string | undefined {
  return jsQr.default(pixels, width, height, { inversionAttempts: 'dontInvert' })?.data
}

/** The squares of lines that show two rows each. */
function squaresOf(lines: readonly string[]): boolean[][] {
  return lines.flatMap((line) => [
    [...line].map((character) => character === ' ' || character === '▄'),
    [...line].map((character) => character === ' ' || character === '▀'),
  ])
}

describe('cleverctl router qr', () => {
  let fresh: FreshDatabase
  let home: string

  before(async () => {
    fresh = await freshDatabase()
    home = mkdtempSync(join(tmpdir(), 'cctl-qr-'))
    await fresh.database.query(
      `insert into cleverctl.installation (code, name, timezone, latitude, longitude)
       select 'solar-' || n, 'Almeria', 'Europe/Madrid', 36.84, -2.46 from generate_series(1, 4) as n`,
    )
    await run(['init', '--yes'])
    await add('solar-1', 'CLV-000001', 'Xq7kPmZ3vRtB9wYhN4cD8sFg')
    await add('solar-2', 'a<b>:"c;d\\', 'p,a;s:s"w\\ord')
    await run(['router', 'add', 'solar-3', ...common(file('admin.txt', 'some password'))])
  })
  after(async () => {
    await fresh.drop()
    rmSync(home, { recursive: true, force: true })
  })

  const options = () => ({ home, cwd: home, env: { CLEVERCTL_DATABASE_URL: fresh.url } })
  const run = (words: readonly string[]) => runCli(words, options())
  const file = (name: string, text: string) => {
    writeFileSync(join(home, name), `${text}\n`, { mode: 0o600 })
    return join(home, name)
  }
  const common = (password: string) =>
    `--driver openwrt --address 10.8.0.1 --offline --host-key ${HOST_KEY} --password-file ${password}`.split(
      ' ',
    )
  const add = async (installation: string, ssid: string, passphrase: string) => {
    const wifi = ['--ssid', ssid, '--wifi-password-file', file('wifi.txt', passphrase)]
    const password = file('admin.txt', `password of ${installation}`)
    const result = await run(['router', 'add', installation, ...common(password), ...wifi])
    assert.equal(result.code, ok, result.stderr)
  }
  const URI = 'WIFI:T:WPA;S:CLV-000001;P:Xq7kPmZ3vRtB9wYhN4cD8sFg;;'

  it('writes a picture from which a phone reads name and passphrase', async () => {
    const { code, stdout } = await run(['router', 'qr', 'solar-1', '--output', 'l.png', '--json'])
    assert.equal(code, ok)
    assert.deepEqual(JSON.parse(stdout), {
      labels: [{ installation: 'solar-1', ssid: 'CLV-000001', version: 1 }],
      file: 'l.png',
    })
    const { data, width, height } = PNG.sync.read(readFileSync(join(home, 'l.png')))
    assert.equal(decode(new Uint8ClampedArray(data), width, height), URI)
    assert.equal(statSync(join(home, 'l.png')).mode & 0o777, 0o600)
  })

  it('shows the same in a terminal, light on dark', async () => {
    const shown = await runCliTty(['router', 'qr', 'solar-1'], options())
    assert.equal(shown.code, ok)
    const lines = shown.stdout.split('\n').filter((line) => /^[█▀▄ ]{20,}$/.test(line))
    assert.equal(read(squaresOf(lines)), URI)
    assert.match(shown.raw, /\x1b\[97m\x1b\[40m█/)
    assert.match(shown.stdout, /solar-1: CLV-000001/)
  })

  it('escapes what would be read as something else, and says that not every phone agrees', async () => {
    const shown = await runCliTty(['router', 'qr', 'solar-2'], options())
    const lines = shown.stdout.split('\n').filter((line) => /^[█▀▄ ]{20,}$/.test(line))
    const ssid = String.raw`a<b>\:\"c\;d\\`
    assert.equal(read(squaresOf(lines)), `WIFI:T:WPA;S:${ssid};P:p\\,a\\;s\\:s\\"w\\\\ord;;`)
    assert.match(shown.stdout, /some phones read differently/)
  })

  it('prints several labels on one sheet, and never the passphrase in letters', async () => {
    const words = ['router', 'qr', 'solar-1', 'solar-2', '--output']
    assert.equal((await run([...words, 'sheet.svg'])).code, usage)
    assert.equal((await run([...words, 'sheet.html'])).code, ok)
    const sheet = readFileSync(join(home, 'sheet.html'), 'utf8')
    assert.equal(sheet.match(/<figure>/g)?.length, 2)
    assert.ok(sheet.includes('CLV-000001') && sheet.includes('a&#60;b&#62;:&#34;c;d\\'))
    assert.doesNotMatch(sheet, /Xq7kPmZ3|s:s"w|https?:\/\/(?!www\.w3\.org)/)
    assert.equal((await run(['router', 'qr', 'solar-1', '--output', 'one.svg'])).code, ok)
    assert.match(readFileSync(join(home, 'one.svg'), 'utf8'), /^<svg [\s\S]*<\/svg>\n$/)
  })

  it('goes nowhere but to a new file or a terminal', async () => {
    for (const [words, wanted] of [
      [['solar-1'], usage],
      [['solar-1', '--json'], usage],
      [['solar-1', '--output', 'label.txt'], usage],
      [['solar-1', '--output', file('mine.svg', 'mine')], conflict],
      [['solar-3', '--output', 'none.svg'], notFound],
      [['solar-4', '--output', 'none.svg'], notFound],
    ] as const) {
      const { code, stdout } = await run(['router', 'qr', ...words])
      assert.equal(code, wanted, words.join(' '))
      assert.doesNotMatch(stdout, /█/)
    }
    assert.equal(readFileSync(join(home, 'mine.svg'), 'utf8'), 'mine\n')
    assert.ok(!existsSync(join(home, 'none.svg')))
  })

  it('is taken down in the trail', async () => {
    const { rows } = await fresh.database.query<{ details: object }>(
      `select details from cleverctl.trail where action = 'router.qr' and subject = 'solar-2'`,
    )
    assert.ok(rows.length > 0)
    assert.deepEqual(rows[0]?.details, { what: 'wifi', version: 1 })
  })
})
