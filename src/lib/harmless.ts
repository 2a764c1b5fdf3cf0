// Control characters of C0 and C1, and the marks that reorder text on the screen: stored data must
// neither move the cursor nor pretend to say something else.
const HARMFUL = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g
const NAMED: Record<string, string> = { '\t': '\\t', '\n': '\\n', '\r': '\\r' }

/** Makes data safe to show: control characters become visible escapes, so one value stays one line and one cell. */
export function harmless(text: string): string {
  return text.replace(HARMFUL, (character) => {
    const code = character.charCodeAt(0).toString(16)
    return NAMED[character] ?? (code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, '0')}`)
  })
}
