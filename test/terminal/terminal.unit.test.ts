import assert from 'node:assert/strict'
import { currentActor } from '../../src/lib/terminal/actor.js'
import { wantsColour } from '../../src/lib/terminal/colour.js'
import {
  alignCells,
  cut,
  fittingColumns,
  joinCells,
  pad,
  wrap,
} from '../../src/lib/terminal/layout.js'
import { Interruption } from '../../src/lib/terminal/interruption.js'
import { relativeTime } from '../../src/lib/terminal/relative-time.js'
import { harmless } from '../../src/lib/harmless.js'
import { oneLine } from '../../src/lib/terminal/text.js'
import { unknownCommand } from '../../src/lib/terminal/unknown-command.js'

describe('the signal of a command', () => {
  it('may be listened to by everything that is under way, without a warning of a leak', async () => {
    const interruption = new Interruption()
    const warnings: string[] = []
    const listen = (warning: Error) => warnings.push(warning.message)
    process.on('warning', listen)
    try {
      for (let each = 0; each < 100; each++)
        interruption.signal.addEventListener('abort', () => each)
      // Warnings come in the next turn.
      await new Promise((resolve) => setImmediate(resolve))
    } finally {
      process.removeListener('warning', listen)
      interruption.dispose()
    }
    assert.deepEqual(warnings, [])
  })
})

describe('harmless text', () => {
  it('has no control character, of C0, of C1, or that turns the direction of writing', () => {
    for (let code = 0; code < 0x3000; code++) {
      const shown = harmless(`a${String.fromCharCode(code)}b`)
      assert.doesNotMatch(shown, /\p{Cc}|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u)
    }
  })

  it('is what it was where nothing is wrong with it', () => {
    for (const text of ['solar-0042', 'Almería · 太陽光 🔆', '']) assert.equal(harmless(text), text)
  })

  it('is one line for stderr', () => {
    assert.equal(oneLine(' a \n\n  b\r\nc\td '), 'a b c\\td')
  })
})

describe('layout', () => {
  it('counts wide characters as two columns', () => {
    assert.equal(pad('太陽', 6), '太陽  ')
    assert.equal(pad('太陽', 6, 'right'), '  太陽')
    assert.equal(cut('太陽光発電', 6), '太陽…')
    assert.equal(cut('short', 5), 'short')
  })

  it('cuts the last column only, and never to nothing', () => {
    const rows = [
      ['NAME', 'N', 'NOTE'],
      ['a-rather-long-name', '10', 'a long note'],
    ]
    const lines = (width: number) =>
      alignCells(rows, ['left', 'right', 'left'], width).map(joinCells)
    assert.deepEqual(lines(80), [
      'NAME                 N  NOTE',
      'a-rather-long-name  10  a long note',
    ])
    assert.equal(lines(30)[1], 'a-rather-long-name  10  a long …')
    assert.equal(lines(5)[1], 'a-rather-long-name  10  a long …')
  })

  it('leaves out empty columns, then minor ones from the left, until a table fits', () => {
    const rows = [
      ['NAME', 'UNTIL', 'FROM', 'PHASE', 'NOTE'],
      ['solar-0042', '-', '127.0.0.1', 'change', 'a long note about it'],
    ]
    const shown = (width: number) =>
      fittingColumns(rows, [true, false, true, true, false], width).map((each) => rows[0]?.[each])
    assert.deepEqual(shown(54), ['NAME', 'UNTIL', 'FROM', 'PHASE', 'NOTE'])
    assert.deepEqual(shown(53), ['NAME', 'FROM', 'PHASE', 'NOTE'])
    assert.deepEqual(shown(46), ['NAME', 'PHASE', 'NOTE'])
    assert.deepEqual(shown(35), ['NAME', 'NOTE'])
    assert.deepEqual(shown(5), ['NAME', 'NOTE'])
  })

  it('wraps between words, keeps paragraphs, and leaves long words whole', () => {
    assert.deepEqual(wrap('one two three\n\nextraordinarily', 8), [
      'one two',
      'three',
      '',
      'extraordinarily',
    ])
  })
})

describe('relative time', () => {
  const now = new Date('2026-06-01T12:00:00Z')
  const CASES: [string, string][] = [
    ['2026-06-01T12:00:00Z', 'now'],
    ['2026-06-01T11:59:30Z', '30 seconds ago'],
    ['2026-06-01T11:00:31Z', '59 minutes ago'],
    ['2026-06-01T11:00:01Z', '1 hour ago'],
    ['2026-06-01T13:59:58Z', 'in 2 hours'],
    ['2026-06-01T10:00:00Z', '2 hours ago'],
    ['2026-05-31T12:00:00Z', 'yesterday'],
    ['2026-06-15T12:00:00Z', 'in 14 days'],
    ['2026-03-01T12:00:00Z', '3 months ago'],
    ['2024-01-01T00:00:00Z', '2 years ago'],
  ]
  for (const [at, text] of CASES)
    it(`${at} is ${text}`, () => assert.equal(relativeTime(new Date(at), now), text))
})

describe('colour', () => {
  const CASES: [boolean, NodeJS.ProcessEnv, boolean][] = [
    [true, {}, true],
    [true, { TERM: 'xterm-256color', NO_COLOR: '' }, true],
    [false, {}, false],
    [false, { FORCE_COLOR: '1' }, false],
    [true, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
    [true, { TERM: 'dumb' }, false],
    [true, { CI: 'true' }, false],
    [true, { CI: 'false' }, true],
    [true, { CI: 'true', FORCE_COLOR: '1' }, true],
    [true, { FORCE_COLOR: '0' }, false],
  ]
  for (const [isTerminal, environment, wanted] of CASES)
    it(`${wanted ? 'is' : 'is not'} wanted with ${JSON.stringify({ isTerminal, ...environment })}`, () =>
      assert.equal(wantsColour(isTerminal, environment), wanted))
})

describe('who does it', () => {
  const CASES: [NodeJS.ProcessEnv, string | undefined][] = [
    [{}, undefined],
    [{ CI: 'true' }, 'ci'],
    [
      { CI: 'true', GITHUB_RUN_ID: '7', GITHUB_REPOSITORY: 'clever/fleet' },
      'github:clever/fleet:7',
    ],
    [{ CI: 'true', CI_JOB_ID: '8', CI_PROJECT_PATH: 'clever/fleet' }, 'gitlab:clever/fleet:8'],
    [{ BUILD_URL: 'https://me:secret@ci.example.com/job/9' }, 'build:https://ci.example.com/job/9'],
  ]
  for (const [environment, job] of CASES)
    it(`is the job ${job} with ${JSON.stringify(environment)}`, () => {
      const actor = currentActor(environment)
      assert.equal(actor.ciJob, job)
      assert.ok(actor.osUser)
      assert.ok(actor.host)
    })

  it('is told shortly', () => {
    assert.equal(currentActor({ BUILD_URL: `https://${'x'.repeat(500)}` }).ciJob?.length, 120)
  })
})

describe('an unknown command', () => {
  const NAMES = ['device list', 'device register', 'help', 'status']
  const CASES: [string[], string, string][] = [
    [['devcie', 'list'], 'unknown command devcie', 'cleverctl device list'],
    [['device', 'lst', 'CDX-000123'], 'unknown command device lst', 'cleverctl device list'],
    [['statsu'], 'unknown command statsu', 'cleverctl status'],
    [['devise'], 'unknown command devise', 'cleverctl help device'],
    [['device'], 'device is not a command by itself', 'cleverctl help device'],
    [['Pa55word'], 'unknown command', 'cleverctl help'],
    [['device', 'Pa55word'], 'device is not a command by itself', 'cleverctl help device'],
    [[], 'unknown command', 'cleverctl help'],
    [['--profile', 'x', 'status'], 'a command comes before its flags', 'cleverctl help'],
  ]
  for (const [argv, message, suggestion] of CASES)
    it(`"${argv.join(' ')}" is answered with: ${message}; ${suggestion}`, () => {
      const error = unknownCommand(argv, NAMES)
      assert.deepEqual([error.message, error.suggestions], [message, [suggestion]])
    })
})
