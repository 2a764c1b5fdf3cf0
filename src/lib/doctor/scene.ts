import { readConfig } from '../config/config-file.js'
import { homeDirectory } from '../config/home.js'
import { resolveSettings, type Settings } from '../config/settings.js'
import type { Database } from '../database/database.js'
import { pendingMigrations } from '../database/migrate.js'
import { openDatabase } from '../database/open.js'
import { ConflictError, FailureError } from '../errors.js'
import { type Surroundings, workspaceOn } from '../surroundings.js'
import type { Workspace } from '../workspace.js'

/** Which profile and database are to be looked at. */
export interface Subject {
  profile: string | undefined
  databaseUrl: string | undefined
}

/**
 * What checks look at, opened when the first of them needs it and shared with the next. Nothing is
 * made or brought up to date by looking.
 */
export class Scene {
  readonly home: string
  readonly surroundings: Surroundings
  readonly #subject: Subject
  #settings: Promise<Settings> | undefined
  #database: Promise<Database> | undefined
  #schema: Promise<Workspace> | undefined

  constructor(surroundings: Surroundings, subject: Subject) {
    this.surroundings = surroundings
    this.#subject = subject
    this.home = homeDirectory(surroundings.environment)
  }

  /** Whether there is a config.json. */
  async hasConfig(): Promise<boolean> {
    return (await readConfig(this.home)) !== undefined
  }

  /** The settings in use. Throws when they are not valid. */
  async settings(): Promise<Settings> {
    const { environment } = this.surroundings
    this.#settings ??= resolveSettings({ ...this.#subject, environment })
    return this.#settings
  }

  /** The database, whatever state its schema is in. Throws when it cannot be opened. */
  async openDatabase(): Promise<Database> {
    this.#database ??= this.#open()
    return this.#database
  }

  /** The database, for checks that look into it; the check that opens it tells why it cannot be. */
  async database(): Promise<Database> {
    return this.openDatabase().catch(() => {
      throw new FailureError('not-checked', 'the database is not open')
    })
  }

  /** A workspace on the database once its schema is up to date. */
  async workspace(): Promise<Workspace> {
    this.#schema ??= this.#requireSchema()
    return this.#schema
  }

  /** Closes what was opened. */
  async close(): Promise<void> {
    const database = await this.#database?.catch(() => undefined)
    await database?.close()
  }

  async #open(): Promise<Database> {
    const settings = await this.settings()
    if (settings.database.mode === 'embedded') {
      const { inspectEmbedded } = await import('../database/embedded/supervisor.js')
      // Opening would make it, and a look changes nothing.
      if ((await inspectEmbedded(settings.database)) === undefined) {
        throw new FailureError('not-set-up', `there is no database in ${settings.home} yet`, {
          suggestions: ['cleverctl init'],
        })
      }
    }
    const { log, signal } = this.surroundings
    const database = await openDatabase(settings, { log, signal, migrations: 'ignore' })
    try {
      // A pool connects with its first statement.
      await database.query('select')
      return database
    } catch (error) {
      await database.close()
      throw error
    }
  }

  async #requireSchema(): Promise<Workspace> {
    const database = await this.database()
    const { pending } = await pendingMigrations(database).catch((error: unknown) => {
      throw error instanceof ConflictError ? schemaIsOther() : error
    })
    if (pending.length > 0) throw schemaIsOther()
    return workspaceOn(database, await this.settings(), this.surroundings)
  }
}

/** The check of the schema tells in which way. */
function schemaIsOther(): FailureError {
  return new FailureError('not-checked', "the schema is not this program's")
}
