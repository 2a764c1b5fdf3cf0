#!/usr/bin/env node
// For people who work on the sources: builds what they are now, then runs it.
import { build } from '../scripts/build.js'

await build()
await import('./run.js')
