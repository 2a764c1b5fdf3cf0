#!/usr/bin/env node
'use strict'

const argv = process.argv.slice(2)

if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-v')) {
  printVersion()
} else {
  void start()
}

/** Asked for by scripts and monitors all day, so answered without loading the program. */
function printVersion() {
  const { version } = require('../package.json')
  const text = `cleverctl/${version} ${process.platform}-${process.arch} node-${process.version}\n`
  try {
    require('node:fs').writeSync(1, text)
  } catch (error) {
    // A reader that has gone needs no answer.
    if (error.code !== 'EPIPE') throw error
  }
}

async function start() {
  // chalk looks at the environment when it is imported and does not know NO_COLOR.
  if (process.env.NO_COLOR || process.env.TERM === 'dumb') process.env.FORCE_COLOR = '0'
  enableCompileCache()
  const { main } = await import('../dist/main.js')
  const { pathToFileURL } = require('node:url')
  await main(argv, pathToFileURL(`${__dirname}/../`))
}

/** Newer Node keeps compiled code. In the user's own folder: a planted file in /tmp would be run. */
function enableCompileCache() {
  const { HOME, XDG_CACHE_HOME = HOME && `${HOME}/.cache` } = process.env
  if (XDG_CACHE_HOME)
    require('node:module').enableCompileCache?.(`${XDG_CACHE_HOME}/cleverctl/node`)
}
