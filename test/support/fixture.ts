import { Plugin } from '@oclif/core'
import * as esbuild from 'esbuild'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const COMMANDS = 'test/fixtures/cli/commands/thing'

/** A program made of the real bin/run.js, main and base command, with commands that misbehave on demand. */
export interface Fixture {
  /** Its bin/run.js. */
  program: string
  remove(): void
}

/** Builds the commands of test/fixtures/cli (and the real `help`) into a root of their own. */
export async function buildFixture(): Promise<Fixture> {
  // Inside the project, so that packages are found.
  mkdirSync(join(ROOT, 'tmp'), { recursive: true })
  const root = mkdtempSync(join(ROOT, 'tmp', 'fixture-'))
  const commands = readdirSync(join(ROOT, COMMANDS)).map((file) => file.replace(/\.ts$/, ''))
  await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: [
      { in: 'src/main.ts', out: 'main' },
      { in: 'src/commands/help.ts', out: 'commands/help' },
      ...commands.map((name) => ({ in: `${COMMANDS}/${name}.ts`, out: `commands/thing/${name}` })),
    ],
    outdir: join(root, 'dist'),
    bundle: true,
    splitting: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20.12',
    logLevel: 'warning',
  })
  cpSync(
    join(ROOT, 'src/lib/database/migrations'),
    join(root, 'dist', 'lib', 'database', 'migrations'),
    {
      recursive: true,
    },
  )
  cpSync(join(ROOT, 'bin'), join(root, 'bin'), { recursive: true })
  writeFileSync(
    join(root, 'package.json'),
    JSON.stringify({
      name: 'cleverctl-fixture',
      version: '0.0.0',
      type: 'module',
      oclif: {
        bin: 'cleverctl',
        commands: { strategy: 'pattern', target: './dist/commands' },
        topicSeparator: ' ',
        additionalHelpFlags: ['-h'],
      },
    }),
  )
  // As the real program has one; without it every start loads every command.
  const plugin = new Plugin({ root, ignoreManifest: true, type: 'core' })
  await plugin.load()
  writeFileSync(join(root, 'oclif.manifest.json'), JSON.stringify(plugin.manifest))
  return {
    program: join(root, 'bin', 'run.js'),
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
}
