import { harmless } from '../../../harmless.js'

/** HTML that was composed here. Nothing else gets into a page without being escaped. */
export class Markup {
  constructor(readonly text: string) {}
}

/** What may stand in a template of {@link html}. Text and numbers are escaped; null leaves nothing. */
export type Piece = Markup | string | number | null | readonly Piece[]

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Composes HTML; every value is escaped unless it is markup itself. Values of attributes stand in double quotes. */
export function html(strings: TemplateStringsArray, ...pieces: Piece[]): Markup {
  const texts = strings.map((text, index) => text + textOf(pieces[index] ?? null))
  return new Markup(texts.join(''))
}

function textOf(piece: Piece): string {
  if (piece === null) return ''
  if (piece instanceof Markup) return piece.text
  if (typeof piece === 'object') return piece.map(textOf).join('')
  return harmless(String(piece)).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
