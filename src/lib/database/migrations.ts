import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** One file of migrations/. */
export interface Migration {
  version: number
  name: string
  sql: string
  sha256: Buffer
}

const FILE_NAME = /^(\d{4})_([a-z0-9_]+)\.sql$/

/** Every migration this tool knows, in order; versions go 1, 2, 3, … without a gap. */
export async function readMigrations(): Promise<Migration[]> {
  const folder = migrationsFolder()
  const files = (await readdir(folder)).filter((file) => FILE_NAME.test(file)).sort()
  return Promise.all(files.map((file, index) => readMigration(join(folder, file), file, index + 1)))
}

async function readMigration(path: string, file: string, wanted: number): Promise<Migration> {
  const [, version, name = ''] = FILE_NAME.exec(file) ?? []
  if (Number(version) !== wanted) throw new Error(`migration ${wanted} is missing`)
  const sql = await readFile(path)
  return {
    version: wanted,
    name,
    sql: sql.toString('utf8'),
    sha256: createHash('sha256').update(sql).digest(),
  }
}

/** Beside this module in the sources; in the built package, in a folder above the bundle's files. */
function migrationsFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'migrations'))) {
    if (folder === dirname(folder)) throw new Error('the package has no migrations folder')
    folder = dirname(folder)
  }
  return join(folder, 'migrations')
}
