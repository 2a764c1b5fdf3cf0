import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Where a file or folder lies that the code reads at run time and that is no code of this language: SQL, shell, a
 * style sheet.
 * The sources have it beside the module that reads it; the build copies it into the package.
 * @param path below src/lib, e.g. `database/migrations`
 */
export function packagedFile(path: string): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'lib', path))) {
    if (folder === dirname(folder)) throw new Error(`the package has no ${path}`)
    folder = dirname(folder)
  }
  return join(folder, 'lib', path)
}
