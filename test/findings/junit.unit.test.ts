import { deepEqual, ok } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { toJunit } from '../../src/lib/findings/junit.js'

describe('findings as JUnit', () => {
  const cases = [
    { group: 'db1', name: 'good', failures: [], errors: [] },
    {
      group: 'db1',
      name: 'bad',
      failures: ['<a "b" & c>\n\u0000\u001b[2J\uD800', 'second'],
      errors: [],
    },
    { group: 'db2', name: 'unknown', failures: ['x'], errors: ['cannot read it'] },
  ]

  it('count what was found and what could not be checked', () =>
    deepEqual(
      [...toJunit('all', cases).matchAll(/<testsuites? ([^>]*)>/g)].map(([, counts]) => counts),
      [
        'name="all" tests="3" failures="1" errors="1"',
        'name="db1" tests="2" failures="1" errors="0"',
        'name="db2" tests="1" failures="0" errors="1"',
      ],
    ))

  it('keep text that is no XML from breaking it', () => {
    const text = toJunit('all', cases)
    ok(text.includes('&lt;a &quot;b&quot; &amp; c&gt;&#10;\uFFFD\uFFFD[2J\uFFFD'), text)
    ok(!/[\u0000-\u0008\u001b]/.test(text))
  })

  it('are XML to a parser', function () {
    const script =
      'import sys, xml.dom.minidom as d; print(len(d.parse(sys.stdin).getElementsByTagName("testcase")))'
    let printed: string
    try {
      printed = execFileSync('python3', ['-c', script], { input: toJunit('all', cases) }).toString()
    } catch {
      this.skip()
    }
    deepEqual(printed.trim(), '3')
  })
})
