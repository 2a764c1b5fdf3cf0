#!/usr/bin/env node
import { readFileSync } from 'node:fs'

const argv = process.argv.slice(2)

if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-v')) {
  // Asked for by scripts and monitors all day: answered without loading the program.
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  process.stdout.write(
    `cleverctl/${version} ${process.platform}-${process.arch} node-${process.version}\n`,
  )
} else {
  // chalk decides when it is imported and does not know NO_COLOR, so this comes before the program.
  if (process.env.NO_COLOR || process.env.TERM === 'dumb') process.env.FORCE_COLOR = '0'
  const { enableCompileCache } = await import('node:module')
  enableCompileCache?.()
  const { main } = await import('../dist/main.js')
  await main(argv, new URL('..', import.meta.url))
}
