import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli } from './support/cli.js'

/** What bash would offer, one a line, after the words in "$@" (the last one half-typed). */
const BASH = `
source "$SETUP"
COMP_WORDS=(cleverctl "$@")
COMP_CWORD=$#
_cleverctl_autocomplete
printf '%s\\n' "\${COMPREPLY[@]}"`

/** Types a line and a tab into an interactive zsh and prints its screen until $EXPECTED is on it. */
const ZSH = `
zmodload zsh/zpty
zpty -b shell zsh -f -i
screen=''
await() {
  repeat 200; do
    while zpty -r -t shell chunk; do screen+=$chunk; done
    [[ $screen == *$1* ]] && return
    sleep 0.05
  done
}
zpty -w shell "source $SETUP; echo re''ady"
await ready
screen=''
zpty -w -n shell "$LINE"$'\\t'
await "$EXPECTED"
zpty -d shell
print -r -- "$screen"`

describe('completion', () => {
  let home: string

  before(async () => {
    home = mkdtempSync(join(tmpdir(), 'cctl-completion-'))
    const { code, stderr } = await runCli(['autocomplete', '--refresh-cache'], { home })
    assert.equal(code, 0, stderr)
  })

  after(() => rmSync(home, { recursive: true }))

  /** The file that the line which `autocomplete script` prints for the shell's start-up file loads. */
  async function setup(shell: string): Promise<string> {
    const { stdout } = await runCli(['autocomplete', 'script', shell], { home })
    const path = /=(\S+) &&/.exec(stdout)?.[1]
    assert.ok(path, stdout)
    return path
  }

  it('says how it is set up, in words and as one document', async () => {
    const json = await runCli(['autocomplete', 'zsh', '--json'], { home })
    const { shell, setupFile, command } = json.json() as Record<string, string>
    assert.equal(json.code, 0)
    assert.equal(json.stderr, '')
    assert.equal(shell, 'zsh')
    assert.ok(existsSync(setupFile ?? ''))
    const text = await runCli(['autocomplete', 'zsh'], { home })
    assert.ok(text.stdout.includes(command ?? '-'))
    const unknown = await runCli(['autocomplete', '--json'], { home, env: { SHELL: '/bin/false' } })
    assert.equal(unknown.code, 2)
  })

  async function bashOffers(words: readonly string[]): Promise<string[]> {
    const env = { ...process.env, SETUP: await setup('bash') }
    const out = execFileSync('bash', ['-c', BASH, 'bash', ...words], { env, encoding: 'utf8' })
    return [...new Set(out.trim().split('\n'))]
  }

  it('in bash offers topics', async () => {
    assert.deepEqual(await bashOffers(['install']), ['installation', 'installer'])
  })

  it('in bash offers the commands of a topic after a space', async () => {
    assert.deepEqual(await bashOffers(['installer', 'ass']), ['assign'])
    assert.ok((await bashOffers(['gate', ''])).includes('serve'))
  })

  it('in bash offers the flags of a command', async () => {
    assert.deepEqual(await bashOffers(['api-key', 'rotate', '--gr']), ['--grace'])
  })

  it('in zsh offers the commands of a topic after a space', async function () {
    if (spawnSync('zsh', ['--version']).status !== 0) this.skip()
    const env = {
      PATH: process.env['PATH'],
      HOME: home,
      ZDOTDIR: home,
      TERM: 'xterm',
      SETUP: await setup('zsh'),
      LINE: 'cleverctl installer ',
      EXPECTED: 'unassign',
    }
    const out = execFileSync('zsh', ['-f', '-c', ZSH], { env, encoding: 'utf8', timeout: 30_000 })
    assert.match(out, /assign\s+-- let an installer place devices/)
  })
})
