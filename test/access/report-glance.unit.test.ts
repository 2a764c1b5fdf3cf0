import { doesNotMatch, match } from 'node:assert/strict'
import { glance } from '../../src/lib/access/report/page/glance.js'
import { sampleReport } from './report-sample.js'

describe('the figures of a report that a reader wants first', () => {
  it('do not call a server well that nobody audited', () => {
    const report = sampleReport()
    match(glance(report).text, /critical findings open/)
    const unaudited = { ...report, findings: { ...report.findings, servers: [] } }
    doesNotMatch(glance(unaudited).text, /findings open/)
    match(glance(unaudited).text, /of findings is known/)
  })
})
