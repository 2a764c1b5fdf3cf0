import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packagedFile } from '../packaged-file.js'

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
  const folder = packagedFile('database/migrations')
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
