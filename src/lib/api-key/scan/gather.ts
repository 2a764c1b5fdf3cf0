import { stat } from 'node:fs/promises'
import { ExpectedError, NotFoundError } from '../../errors.js'
import type { Unchecked } from '../../findings/types.js'
import { errorCode } from '../../file-system.js'
import type { Surroundings } from '../../surroundings.js'
import { findCandidates, masked } from './candidates.js'
import { FileSearch } from './file.js'
import { findOrigins, type BlobOrigin } from './git-origins.js'
import { searchObjects, type GuiltyObject } from './git-objects.js'
import { findRepository, type Repository } from './git.js'
import { Pace } from './pace.js'
import { searchStdin } from './stdin.js'
import type { Find, Hit, Origin, ScanReport } from './types.js'
import { placeOf, walk, type Place } from './walk.js'

/** Everything that was found, before anybody was asked what it is. */
export interface Gathered {
  finds: Find[]
  scanned: ScanReport['scanned']
  notChecked: Unchecked[]
}

/** Goes through files, folders, stdin and git histories. */
export class Gathering {
  readonly #surroundings: Surroundings
  readonly #pace: Pace
  readonly #files: FileSearch
  readonly #finds: Find[] = []
  readonly #notChecked: Unchecked[] = []
  readonly #repositories = new Map<string, Repository>()

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
    this.#pace = new Pace(surroundings.log, surroundings.signal)
    this.#files = new FileSearch(this.#pace)
  }

  /**
   * Searches what the paths name, `-` for stdin, and with `hasGit` the histories of all repositories
   * that are there. What could not be read is told beside what was found.
   * Throws NotFoundError before anything is read when a path leads nowhere.
   */
  async gather(paths: readonly string[], hasGit: boolean): Promise<Gathered> {
    const named = [...new Set(paths)]
    const folders = new Map<string, boolean>()
    for (const path of named) if (path !== '-') folders.set(path, await isFolder(path))
    for (const path of named) {
      if (path === '-') await this.#stdin()
      else if (folders.get(path) !== true)
        await this.#file(placeOf(path), { followsLink: true, hasGit })
      else await this.#folder(placeOf(path), hasGit)
    }
    for (const repository of this.#repositories.values()) await this.#history(repository)
    return { finds: this.#finds, scanned: this.#pace.scanned, notChecked: this.#notChecked }
  }

  async #stdin(): Promise<void> {
    const { signal } = this.#surroundings
    this.#keep({ file: '-' }, await searchStdin(this.#pace, signal))
    this.#pace.scanned.files += 1
  }

  async #file(
    place: Place,
    { followsLink = false, hasGit = false }: { followsLink?: boolean; hasGit?: boolean } = {},
  ): Promise<void> {
    if (hasGit) this.#cannot(place.shown, 'a file has no git history: name its folder')
    const { hits, failure } = await this.#files.search(place, { followsLink })
    this.#keep({ file: masked(place.shown) }, hits)
    if (failure !== undefined) this.#cannot(place.shown, failure)
  }

  async #folder(root: Place, hasGit: boolean): Promise<void> {
    const known = this.#repositories.size
    if (hasGit) await this.#repository(root)
    for (const step of walk(root)) {
      const { kind, place } = step
      if (kind === 'file') await this.#file(place)
      else if (kind === 'unreadable') this.#cannot(place.shown, step.reason)
      else if (kind === 'name') this.#name(place, step.name)
      else if (hasGit) await this.#repository(place)
    }
    if (hasGit && this.#repositories.size === known && !(await this.#isKnown(root)))
      this.#cannot(root.shown, 'there is no git history')
  }

  async #repository(place: Place): Promise<void> {
    const found = await this.#attempt(place.shown, () => this.#find(place))
    if (found === undefined || this.#repositories.has(found.id)) return
    this.#repositories.set(found.id, found)
    if (found.gap !== undefined) this.#cannot(place.shown, found.gap)
  }

  #find(place: Place): Promise<Repository | undefined> {
    return findRepository(place.path.toString(), this.#surroundings)
  }

  async #isKnown(place: Place): Promise<boolean> {
    const found = await this.#attempt(place.shown, () => this.#find(place))
    return found !== undefined && this.#repositories.has(found.id)
  }

  async #history({ folder }: Repository): Promise<void> {
    const guilty: GuiltyObject[] = []
    await this.#attempt(folder, async () => {
      for await (const each of searchObjects(folder, this.#surroundings, this.#pace))
        guilty.push(each)
    })
    const blobs = guilty.filter(({ type }) => type === 'blob').map(({ id }) => id)
    const origins = await this.#attempt(folder, () =>
      findOrigins(folder, blobs, this.#surroundings),
    )
    const repository = masked(folder)
    for (const each of guilty) this.#keep({ repository, ...originOf(each, origins) }, each.hits)
  }

  /** A failure that somebody can act on leaves the rest of the scan as it is. */
  async #attempt<Result>(path: string, work: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await work()
    } catch (error) {
      this.#surroundings.signal.throwIfAborted()
      if (!(error instanceof ExpectedError)) throw error
      this.#cannot(path, error.message)
      return undefined
    }
  }

  #name(place: Place, name: Buffer): void {
    const range = { from: 0, to: name.length, isBare: false }
    for (const candidate of findCandidates(name, range))
      this.#finds.push({
        origin: { file: masked(place.shown) },
        line: null,
        column: null,
        candidate,
      })
  }

  #keep(origin: Origin, hits: readonly Hit[]): void {
    for (const hit of hits) {
      const isCounted = hit.line > 0
      const { line, column } = isCounted ? hit : { line: null, column: null }
      this.#finds.push({ origin, line, column, candidate: hit })
    }
  }

  #cannot(path: string, reason: string): void {
    this.#notChecked.push({ path: masked(path), reason: masked(reason) })
  }
}

function originOf(
  { id, type }: GuiltyObject,
  origins: ReadonlyMap<string, BlobOrigin> | undefined,
): Origin {
  if (type === 'commit') return { file: null, commit: id, object: id }
  const origin = origins?.get(id)
  const file = origin === undefined ? null : masked(origin.file)
  return { file, commit: origin?.commit ?? null, object: id }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    const code = errorCode(error)
    // What is there and cannot be looked at will be told as such.
    if (code !== 'ENOENT' && code !== 'ENOTDIR') return false
    throw new NotFoundError('path-not-found', `${masked(path)} is not there`)
  }
}
