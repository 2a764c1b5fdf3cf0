import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { postgresPrograms } from './cluster.js'

/** The schema of a database as pg_dump writes it. */
export function dumpSchema(url: string): string {
  const text = execFileSync(join(postgresPrograms(), 'pg_dump'), ['--schema-only', '-d', url], {
    encoding: 'utf8',
  })
  // Newer releases frame every dump with a random word.
  return text.replace(/^\\(un)?restrict .*$/gm, '')
}
