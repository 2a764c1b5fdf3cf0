'use strict'

const { reporters } = require('mocha')

/** Mocha's own report and, as the last line, what came of it in numbers. */
module.exports = class ClosingLine extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    runner.once('end', () => {
      const { passes, failures, pending } = this.stats
      const skipped = pending === 0 ? '' : `, ${pending} skipped`
      process.stdout.write(`${passes} passed, ${failures} failed${skipped}\n`)
    })
  }
}
