import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCli } from './support/cli.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** What a package is made from; a copy, because packing builds anew and removes what was there. */
const SOURCES = [
  'bin',
  'scripts',
  'src',
  'test',
  'package.json',
  'LICENSE',
  'README.md',
  'SECURITY.md',
]

function npm(args: readonly string[], cwd: string): string {
  return execFileSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

describe('the npm package', () => {
  let folder: string
  let archive: string

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'cctl-package-'))
    const copy = join(folder, 'copy')
    const filter = (path: string) => basename(path) !== 'node_modules'
    for (const path of SOURCES)
      cpSync(join(ROOT, path), join(copy, path), { recursive: true, filter })
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
    npm(['pack', `--pack-destination=${folder}`], copy)
    const [name] = readdirSync(folder).filter((file) => file.endsWith('.tgz'))
    assert.ok(name)
    archive = join(folder, name)
  })

  after(() => rmSync(folder, { recursive: true }))

  it('holds the program, its manifest and migrations, and neither tests nor sources', () => {
    const files = execFileSync('tar', ['-tzf', archive], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map((path) => path.replace('package/', ''))
    for (const file of [
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'bin/package.json',
      'bin/run.cmd',
      'bin/run.js',
      'dist/THIRD-PARTY-LICENSES.txt',
      'dist/commands/device/import.js',
      'dist/main.js',
      'oclif.manifest.json',
      'package.json',
      ...readdirSync(join(ROOT, 'src/lib/database/migrations')).map(
        (file) => `dist/lib/database/migrations/${file}`,
      ),
    ]) {
      assert.ok(files.includes(file), `${file} is missing`)
    }
    const expected =
      /^(LICENSE|README\.md|SECURITY\.md|package\.json|oclif\.manifest\.json|bin\/(package\.json|run\.(js|cmd))|dist\/(main\.js|THIRD-PARTY-LICENSES\.txt|lib\/[a-z/-]+\/\w+\.(sql|sh|css)|(chunks|commands)\/.+\.js))$/
    assert.deepEqual(
      files.filter((file) => !expected.test(file)),
      [],
    )
  })

  for (const options of [[], ['--ignore-scripts']]) {
    it(`runs when installed into an empty prefix ${options.join(' ')}`, async () => {
      const prefix = join(folder, `prefix${options.length}`)
      mkdirSync(prefix)
      npm(['install', '--prefix', prefix, '--prefer-offline', ...options, archive], prefix)
      const program = join(prefix, 'node_modules/.bin/cleverctl')
      assert.ok(existsSync(program))

      const version = await runCli(['--version'], { program })
      assert.equal(version.code, 0, version.stderr)
      const help = await runCli(['--help'], { program })
      assert.equal(help.code, 0, help.stderr)
      assert.match(help.stdout, /^ {2}device {2,}CleverDx data loggers/m)

      const home = join(prefix, 'home')
      mkdirSync(home, { mode: 0o700 })
      const status = await runCli(['database', 'status', '--json'], { program, home })
      assert.equal(status.code, 0, status.stderr)
      assert.equal(typeof status.json(), 'object')
      assert.equal((await runCli(['database', 'stop'], { program, home })).code, 0)
    })
  }
})
