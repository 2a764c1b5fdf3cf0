/** Shorter text is found everywhere by chance. */
const SHORTEST = 8

/** Finds secrets in text, whichever way they are written there. */
export class SecretSearch {
  /** What every form begins with → the forms with that beginning. */
  readonly #forms = new Map<string, { form: string; label: string }[]>()
  readonly #known = new Set<string>()

  /** @param label what the secret is, for people */
  add(label: string, ...secrets: readonly string[]): void {
    for (const secret of secrets) {
      if (secret.length < SHORTEST) throw new Error(`${label} is too short to be searched for`)
      for (const [way, form] of Object.entries(formsOf(secret)))
        this.#addForm(form, `${label}, ${way}`)
    }
  }

  /** What of all that was added occurs in the text. */
  find(text: string): string[] {
    const found = new Set<string>()
    for (let at = 0; at + SHORTEST <= text.length; at++) {
      for (const { form, label } of this.#forms.get(text.slice(at, at + SHORTEST)) ?? []) {
        if (text.startsWith(form, at)) found.add(label)
      }
    }
    return [...found]
  }

  #addForm(form: string, label: string): void {
    if (form.length < SHORTEST || this.#known.has(form)) return
    this.#known.add(form)
    const beginning = form.slice(0, SHORTEST)
    this.#forms.set(beginning, [...(this.#forms.get(beginning) ?? []), { form, label }])
  }
}

/** The ways a secret may be written: as it is, and in the usual encodings of it and of what it encodes. */
function formsOf(secret: string): Record<string, string> {
  const bytes = Buffer.from(secret)
  const forms: Record<string, string> = {
    'as it is': secret,
    hex: bytes.toString('hex'),
    'upper hex': bytes.toString('hex').toUpperCase(),
    'percent-encoded': encodeURIComponent(secret),
    'JSON-escaped': JSON.stringify(secret).slice(1, -1),
  }
  // Inside longer text base64 has one of three forms, by where the secret begins.
  for (const shift of [0, 1, 2]) {
    const padded = Buffer.concat([Buffer.alloc(shift), bytes])
    const end = padded.length % 3 === 0 ? undefined : -1
    for (const encoding of ['base64', 'base64url'] as const) {
      const text = padded.toString(encoding).replace(/=+$/, '')
      forms[`${encoding} from byte ${shift}`] = text.slice(shift === 0 ? 0 : shift + 1, end)
    }
  }
  if (/^[\w-]{22,}$/.test(secret)) {
    forms['decoded, as hex'] = Buffer.from(secret, 'base64url').toString('hex')
    forms['decoded, as base64'] = Buffer.from(secret, 'base64url')
      .toString('base64')
      .replace(/=+$/, '')
  }
  return forms
}
