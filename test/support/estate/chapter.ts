import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { MACHINES, type MachineName } from './estate.js'

/** What a chapter of a document tells one to type. */
export interface Typed {
  /** As root on these machines at once; undefined: where cleverctl is. */
  machines: readonly MachineName[] | undefined
  script: string
}

const BLOCK = /^```sh\n# (where cleverctl is|on [a-z0-9, ]+, as root)\n([^]*?)^```$/gm
const FENCE = /^```/gm

/**
 * Reads the fenced commands of a chapter, each of which begins with a line that says where it is typed.
 * @param path of the document, from the root of the repository
 * @throws TypeError where the chapter is missing, or a block does not say where
 */
export function readChapter(path: string, title: string): Typed[] {
  const text = readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8')
  const [, rest] = text.split(`\n## ${title}\n`)
  const [chapter = ''] = (rest ?? '').split('\n## ')
  const found = [...chapter.matchAll(BLOCK)].map(([, where = '', script = '']): Typed => {
    const names = where.match(/[a-z]+\d/g)
    return { machines: names === null ? undefined : names.map(machineName), script }
  })
  if (found.length === 0 || found.length * 2 !== [...chapter.matchAll(FENCE)].length)
    throw new TypeError(`${path}, ${title}: not every block says where it is typed`)
  return found
}

function machineName(name: string): MachineName {
  if (name in MACHINES) return name as MachineName
  throw new TypeError(`no machine ${name}`)
}
