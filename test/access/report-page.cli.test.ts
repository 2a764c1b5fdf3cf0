import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright-core'
import { pageOf } from '../../src/lib/access/report/page/page.js'
import { sampleReport } from './report-sample.js'

const CHROMIUM = '/usr/bin/chromium'
/** Without these it looks for hosts of its maker at every start. */
const QUIET = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
]
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/** What a browser is asked for a style in force. */
const styleOf = (selector: string, name: string) =>
  `getComputedStyle(document.querySelector('${selector}')).${name}`

/** Needs Debian's Chromium; without it these tests are left out. */
const whole = existsSync(CHROMIUM) ? describe : describe.skip

whole('the page of a report, in a browser', () => {
  let folder: string
  let file: string
  let browser: Browser
  /** What a page asked for, and what it was refused or said. */
  let requests: string[]
  let said: string[]

  const open = async (options: Parameters<Browser['newPage']>[0]): Promise<Page> => {
    const page = await browser.newPage({ viewport: { width: 1200, height: 900 }, ...options })
    page.setDefaultTimeout(300_000)
    page.on('request', (request) => requests.push(request.url()))
    page.on('console', (message) => said.push(message.text()))
    page.on('pageerror', (error) => said.push(error.message))
    await page.goto(pathToFileURL(file).href)
    return page
  }

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cctl-page-'))
    file = join(folder, 'report.html')
    writeFileSync(file, await pageOf(sampleReport(), '1.2.3'))
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: QUIET,
      timeout: 300_000,
    })
  })
  beforeEach(() => {
    requests = []
    said = []
  })
  after(async () => {
    await browser?.close()
    rmSync(folder, { recursive: true })
  })

  it('asks for nothing but itself, runs nothing and takes its own style', async () => {
    const page = await open({})
    deepEqual(requests, [pathToFileURL(file).href])
    deepEqual(said, [])
    match(await page.title(), /^Access report, 2026-06-01 to 2026-06-30$/)
    equal(await page.evaluate(styleOf('h1', 'fontSize')), '41.6px')
    equal(await page.locator('img, script, iframe, link').count(), 0)
    await page.close()
  })

  for (const colorScheme of ['light', 'dark'] as const)
    it(`breaks no rule of accessibility, ${colorScheme}, with its numbers shown`, async () => {
      const page = await open({ colorScheme, bypassCSP: true })
      for (const summary of await page.locator('summary').all()) await summary.click()
      await page.addScriptTag({ path: AXE })
      const violations = await page.evaluate<[string, string[]][]>(
        'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]))',
      )
      deepEqual(violations, [])
      const background = await page.evaluate(styleOf('body', 'backgroundColor'))
      equal(background, colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(18, 22, 27)')
      const bars = page.locator('figure svg path[fill="var(--critical)"]')
      ok((await bars.count()) > 20)
      await page.close()
    })

  it('is walked through by the keyboard, the way past its head first, and each stop is seen', async () => {
    const page = await open({})
    const stops: string[] = []
    for (let stop = 0; stop < 9; stop += 1) {
      await page.keyboard.press('Tab')
      stops.push(
        await page.evaluate<string>(
          '[document.activeElement.localName, document.activeElement.getAttribute("href") ?? "", ' +
            'getComputedStyle(document.activeElement).outlineStyle].join(" ")',
        ),
      )
    }
    deepEqual(stops.slice(0, 2), ['a #content solid', 'a #sessions solid'])
    ok(stops.includes('summary  solid'))
    ok(stops.every((stop) => stop.endsWith(' solid')))
    await page.close()
  })

  it('fits a narrow screen; only tables scroll', async () => {
    const page = await open({ viewport: { width: 320, height: 800 } })
    const width = await page.evaluate('document.documentElement.scrollWidth')
    equal(width, 320)
    await page.close()
  })

  it('is printed on A4, dark on white, with the heads of tables on every page and no row cut off', async () => {
    const page = await open({ colorScheme: 'dark' })
    const path = join(folder, 'report.pdf')
    await page.pdf({ path, preferCSSPageSize: true })
    const pdf = readFileSync(path, 'latin1')
    match(pdf, /\/MediaBox \[0 0 59[45][.\d]* 84[12][.\d]*\]/)
    ok((pdf.match(/\/Type \/Page\b/g) ?? []).length > 2)
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    // The width of A4 without margins, at 96 dots an inch.
    await page.setViewportSize({ width: 688, height: 1000 })
    equal(await page.evaluate(styleOf('body', 'color')), 'rgb(27, 36, 48)')
    equal(await page.evaluate(styleOf('tr', 'breakInside')), 'avoid')
    equal(await page.evaluate(styleOf('thead', 'display')), 'table-header-group')
    const wide = await page.evaluate(
      '[...document.querySelectorAll("table")].filter((table) => table.offsetWidth > table.parentElement.offsetWidth).length',
    )
    equal(wide, 0)
    await page.close()
  })
})
