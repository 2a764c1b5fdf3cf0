import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { packagedFile } from '../../../packaged-file.js'
import type { AccessReport } from '../types.js'
import { glance } from './glance.js'
import { acceptancesSection, findingsSection, grantsSection } from './access-sections.js'
import { estateSection, trailSection } from './estate-sections.js'
import { html, Markup } from './markup.js'
import { sessionsSection } from './sessions-section.js'
import type { Section } from './elements.js'

/**
 * The report as one HTML file. It has no script and asks nothing of a network; its policy says so to the
 * browser, and lets no style in but its own.
 * @param version of this program
 */
export async function pageOf(report: AccessReport, version: string): Promise<string> {
  const style = await readFile(packagedFile('access/report/page/page.css'), 'utf8')
  const hash = createHash('sha256').update(style).digest('base64')
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`
  const from = report.since.slice(0, 10)
  const to = report.until.slice(0, 10)
  const sections: Section[] = [
    await sessionsSection(report.sessions),
    await findingsSection(report.findings),
    acceptancesSection(report.acceptances),
    grantsSection(report.grants, report.until),
    estateSection(report),
    trailSection(report.trail),
  ]
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>Access report, ${from} to ${to}</title>
        ${new Markup(`<style>${style}</style>`)}
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header>
          <h1>Access report</h1>
          <p class="about">
            Who may reach the databases, who did, and what proves it. From
            <time datetime="${from}">${from}</time> to <time datetime="${to}">${to}</time>, all
            times by UTC.
          </p>
          <nav aria-label="Contents">
            <ol>
              ${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li> `)}
            </ol>
          </nav>
        </header>
        <main id="content" tabindex="-1">
          ${glance(report)}
          ${sections.map(
            ({ id, title, body }) =>
              html`<section aria-labelledby="${id}">
                <h2 id="${id}">${title}</h2>
                ${body}
              </section> `,
          )}
        </main>
        <footer>
          <p>Made by cleverctl ${version} at ${report.until} from ${report.database}.</p>
        </footer>
      </body>
    </html>`
  return `${page.text}\n`
}
