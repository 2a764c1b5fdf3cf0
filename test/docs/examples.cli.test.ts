import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { load } from 'js-yaml'
import { parseSink } from '../../src/lib/sink/parse.js'
import { runCli } from '../support/cli.js'

const FOLDER = fileURLToPath(new URL('../../docs/examples', import.meta.url))
const read = (name: string) => readFileSync(join(FOLDER, name), 'utf8')

/** Every command line of ours in an example, as the shell would take it apart. */
function commandLines(text: string): string[][] {
  return text
    .split('\n')
    .map(
      (line) => /(?:^|\s|\/)cleverctl ((?:api-key|campaign|device|gate|trail) .*)$/.exec(line)?.[1],
    )
    .filter((line) => line !== undefined)
    .map((line) => {
      const words = spawnSync('sh', ['-c', `printf '%s\\n' ${line}`], { encoding: 'utf8' })
      return words.stdout
        .trimEnd()
        .split('\n')
        .map((word) => word.replaceAll('%i', 'solar-0042'))
    })
}

describe('the examples for CI', () => {
  for (const name of ['github-actions.yml', 'gitlab-ci.yml']) {
    it(`${name} is YAML`, () => assert.equal(typeof load(read(name)), 'object'))
  }

  for (const name of readdirSync(FOLDER).filter((file) => /\.(yml|service)$/.test(file))) {
    it(`${name} holds command lines that the program takes, up to the database`, async () => {
      const lines = commandLines(read(name))
      assert.ok(lines.length > 0)
      for (const words of lines) {
        const { code, stderr } = await runCli(words, { env: { GITHUB_ENV: '/dev/null' } })
        assert.equal(code, 7, `${words.join(' ')}: ${stderr}`)
        for (const [index, word] of words.entries())
          if (word === '--deliver') parseSink(words[index + 1] ?? '', {})
      }
    })
  }

  it('the units are what systemd takes', function () {
    const folder = mkdtempSync(join(tmpdir(), 'cctl-units-'))
    try {
      const units = readdirSync(FOLDER).filter((file) => /\.(service|timer)$/.test(file))
      for (const name of units)
        writeFileSync(join(folder, name), read(name).replace('/usr/bin/cleverctl', '/bin/true'))
      const paths = units.map((name) => join(folder, name.replace('@', '@solar-0042')))
      for (const [index, path] of paths.entries())
        writeFileSync(path, readFileSync(join(folder, units[index] ?? '')))
      const { error, status, stderr } = spawnSync('systemd-analyze', ['verify', ...paths], {
        encoding: 'utf8',
      })
      if (error) this.skip()
      assert.equal(status, 0, stderr)
      assert.doesNotMatch(stderr, /cctl-units/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
