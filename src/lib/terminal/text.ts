import { harmless } from '../harmless.js'

/** One line for stderr: line breaks become spaces, everything else is made harmless. */
export function oneLine(text: string): string {
  return harmless(text.replace(/\s*\r?\n\s*/g, ' ').trim())
}

/** A property's name as a person reads it: `graceUntil` is `grace until`. */
export function inWords(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
