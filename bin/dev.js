#!/usr/bin/env node
'use strict'

// For people who work on the sources: builds what they are now, then runs it.
import('../scripts/build.js').then(({ build }) => build()).then(() => require('./run.js'))
