// Writes docs/commands/ from the built program: one page for each topic, and a list of them.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const FOLDER = 'docs/commands'
const LIST = `${FOLDER}/README.md`

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
rmSync(FOLDER, { recursive: true, force: true })
mkdirSync(FOLDER, { recursive: true })
writeFileSync(LIST, '<!-- commands -->\n')
execFileSync(
  'node_modules/.bin/oclif',
  [
    'readme',
    '--multi',
    '--no-aliases',
    '--tsconfig-path=none',
    `--output-dir=${FOLDER}`,
    `--readme-path=${LIST}`,
  ],
  {
    env: { ...process.env, COLUMNS: '100', OCLIF_SKIP_NEW_VERSION_CHECK: 'true' },
    stdio: ['ignore', 'ignore', 'inherit'],
  },
)
const list = readFileSync(LIST, 'utf8')
  .replace(/<!-- commands(stop)? -->\n?/g, '')
  .replace('# Command Topics', '# Commands')
  .replaceAll(`](${FOLDER}/`, '](')
writeFileSync(LIST, list)
