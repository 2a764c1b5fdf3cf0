import assert from 'node:assert/strict'
import { runCli } from '../support/cli.js'

/** Indented by two: a name, then what it is for. */
const ENTRY = /^ {2}\S+ {2,}(\S.*)$/
/** Names that are written with a capital wherever they stand. */
const NAMES = /^(API|PV|CleverDx)\b/

describe('what help lists', () => {
  it('speaks in one manner: small letters at the beginning, no full stop at the end', async () => {
    const { code, stdout } = await runCli(['help', '--json'])
    assert.equal(code, 0)
    const { text } = JSON.parse(stdout) as { text: string }
    const lists = text.slice(text.indexOf('TOPICS')).replace(/\n {8,}/g, ' ')
    const entries = lists.split('\n').flatMap((line) => ENTRY.exec(line)?.[1] ?? [])
    assert.ok(entries.length > 15, lists)
    for (const entry of entries) {
      assert.match(entry.replace(NAMES, 'x'), /^[a-z]/, entry)
      assert.doesNotMatch(entry, /\.$/)
    }
  })
})
