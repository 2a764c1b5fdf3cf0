import { readdirSync } from 'node:fs'
import { errorCode } from '../../file-system.js'

/** A path as the system knows it, which need not be text, and as people read it. */
export interface Place {
  path: Buffer
  shown: string
}

/** What a walk comes by. */
export type Step =
  | { kind: 'file'; place: Place }
  /** A folder in which `.git` is. */
  | { kind: 'repository'; place: Place }
  /** Any entry whose name looks as if one of our secrets were in it. */
  | { kind: 'name'; place: Place; name: Buffer }
  | { kind: 'unreadable'; place: Place; reason: string }

const SLASH = Buffer.from('/')
const GIT = Buffer.from('.git')
/** What every one of our secrets begins with. */
const PREFIX = Buffer.from('clv')

/** A place that was named in words. */
export function placeOf(path: string): Place {
  return { path: Buffer.from(path), shown: path }
}

/**
 * Every plain file under a folder. Symbolic links are not followed: what they lead to is scanned where
 * it stands, if it is in the folder at all. Pipes, sockets and devices are passed by. What git keeps
 * in `.git` is compressed; its folder is told as a repository instead.
 */
export function* walk(root: Place): Generator<Step> {
  const folders = [root]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    let entries
    try {
      entries = readdirSync(folder.path, { withFileTypes: true, encoding: 'buffer' })
    } catch (error) {
      yield { kind: 'unreadable', place: folder, reason: `cannot list it (${errorCode(error)})` }
      continue
    }
    for (const entry of entries) {
      const place = inside(folder, entry.name)
      if (entry.name.includes(PREFIX)) yield { kind: 'name', place, name: entry.name }
      if (entry.name.equals(GIT)) yield { kind: 'repository', place: folder }
      else if (entry.isDirectory()) folders.push(place)
      else if (entry.isFile()) yield { kind: 'file', place }
    }
  }
}

function inside(folder: Place, name: Buffer): Place {
  const text = name.toString()
  if (folder.shown === '.') return { path: name, shown: text }
  const hasSlash = folder.shown.endsWith('/')
  return {
    path: Buffer.concat(hasSlash ? [folder.path, name] : [folder.path, SLASH, name]),
    shown: hasSlash ? folder.shown + text : `${folder.shown}/${text}`,
  }
}
