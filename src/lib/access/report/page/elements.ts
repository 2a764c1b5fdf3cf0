import { html, type Markup, type Piece } from './markup.js'

/** One column of a table on the page. */
export interface PageColumn<Row> {
  title: string
  cell: (row: Row) => Piece
  /** Its cells name their rows. */
  isName?: boolean
  isNumber?: boolean
  /** Others choose the text, however long: it breaks anywhere. */
  isFree?: boolean
}

/** A section that the list of contents leads to. */
export interface Section {
  id: string
  title: string
  body: Piece
}

/** A table under a caption; wide ones scroll, by the keyboard too. Says how many rows are left out. */
export function table<Row>(
  caption: string,
  { rows, total }: { rows: readonly Row[]; total: number },
  columns: readonly PageColumn<Row>[],
): Markup {
  if (total === 0) return html`<p>${caption}: none.</p>`
  const shown =
    rows.length < total ? `${caption}: ${rows.length} of ${total}` : `${caption}: ${total}`
  const heads = columns.map(
    (column) => html`<th scope="col" class="${kindOf(column)}">${column.title}</th>`,
  )
  const cells = (row: Row) =>
    columns.map((column) =>
      column.isName === true
        ? html`<th scope="row" class="${kindOf(column)}">${column.cell(row)}</th>`
        : html`<td class="${kindOf(column)}">${column.cell(row)}</td>`,
    )
  return html`<div class="scroll" role="group" aria-label="${caption}" tabindex="0">
    <table>
      <caption>
        ${shown}
      </caption>
      <thead>
        <tr>
          ${heads}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${cells(row)}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`
}

function kindOf<Row>({ isNumber, isFree }: PageColumn<Row>): string {
  if (isNumber === true) return 'number'
  return isFree === true ? 'free' : 'plain'
}

/** A moment by UTC, to the minute. */
export function moment(at: string | null): Piece {
  if (at === null) return '–'
  return html`<time datetime="${at}">${at.slice(0, 16).replace('T', ' ')}</time>`
}

/** A word with a sign and a colour, which say the same. */
export function word(kind: 'good' | 'critical' | 'high' | 'medium', text: string): Markup {
  return html`<span class="word ${kind}">${text}</span>`
}

/** Something that a reader may want to copy. */
export function code(text: string): Markup {
  return html`<code>${text}</code>`
}

/** A chart, what it says in words, its legend and its numbers. */
export function figure(
  about: { title: string; summary: string; chart: Markup },
  steps: readonly string[],
  series: readonly { name: string; colour: string; values: readonly (number | null)[] }[],
): Markup {
  const { title, summary, chart } = about
  const rows = steps.map((from, index) => ({
    from,
    values: series.map(({ values }) => values[index] ?? null),
  }))
  return html`<figure aria-label="${title}">
    <figcaption>
      <h3>${title}</h3>
      <p>${summary}</p>
    </figcaption>
    <ul class="legend">
      ${series.map(
        ({ name, colour }) =>
          html`<li>
            <svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">
              <rect width="10" height="10" fill="var(--${colour})" /></svg
            >${name}
          </li> `,
      )}
    </ul>
    ${chart}
    <details>
      <summary>The numbers</summary>
      ${table(title, { rows, total: rows.length }, [
        { title: 'From', cell: ({ from }) => from, isName: true },
        ...series.map(({ name }, index) => ({
          title: name,
          cell: ({ values }: { values: readonly (number | null)[] }) => values[index] ?? '–',
          isNumber: true,
        })),
      ])}
    </details>
  </figure>`
}
