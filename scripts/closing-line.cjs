'use strict'

const { readFileSync, writeFileSync } = require('node:fs')
const { reporters } = require('mocha')

/**
 * Mocha's own report and, as the last line, what came of it in numbers.
 * @param options.reporterOptions.counts a file that is empty, or has the numbers of an earlier part of the run:
 * they are added, and the sums written back
 */
module.exports = class ClosingLine extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    const { counts } = options.reporterOptions ?? {}
    runner.once('end', () => {
      const { passes, failures, pending } = this.stats
      const earlier = JSON.parse((counts && readFileSync(counts, 'utf8')) || '[0, 0, 0]')
      const sums = [passes, failures, pending].map((count, index) => count + earlier[index])
      if (counts) writeFileSync(counts, JSON.stringify(sums))
      const [passed, failed, left] = sums
      const skipped = left === 0 ? '' : `, ${left} skipped`
      process.stdout.write(`${passed} passed, ${failed} failed${skipped}\n`)
    })
  }
}
