import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isPeerLine, peerOptions } from '../../src/lib/host/prepare/script.js'

const OPTIONS = '--exec-id=155-a9b5635d --log-level-file=off --pg1-path=/var/lib/a-b_c/15/main'
const REFUSED = 64

describe("the forced command for another machine's pgBackRest", () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'cctl-peer-'))
    const program = join(folder, 'pgbackrest')
    writeFileSync(program, '#!/bin/sh\nprintf "<%s>" "$@"\n')
    chmodSync(program, 0o755)
  })
  after(() => rmSync(folder, { recursive: true }))

  /** What sshd does with a line of authorized_keys: the user's shell runs the command. */
  const call = (asked: string | undefined, shell = 'sh') => {
    const line = peerOptions({ addresses: ['192.0.2.11'] })
    const [, quoted = ''] = /command="(.*)"$/.exec(line) ?? []
    const env = { PATH: `${folder}:/usr/bin:/bin`, ...(asked && { SSH_ORIGINAL_COMMAND: asked }) }
    const words = ['-c', quoted.replaceAll('\\"', '"')]
    const { status, stdout } = spawnSync(shell, words, { env, encoding: 'utf8', cwd: folder })
    return status === 0 ? stdout : status
  }

  it('runs the remote side of a command, however pgBackRest was called there', () => {
    for (const shell of ['sh', 'bash'])
      for (const program of ['pgbackrest', '/usr/bin/pgbackrest'])
        assert.equal(
          call(`${program} ${OPTIONS} archive-push:remote`, shell),
          `${OPTIONS.split(' ')
            .map((word) => `<${word}>`)
            .join('')}<archive-push:remote>`,
        )
  })

  const refused: Record<string, string | undefined> = {
    'a shell': undefined,
    'another program': 'id',
    'a command itself': 'pgbackrest --stanza=main stop',
    'a command behind an option that ends as the remote side does':
      'pgbackrest --stanza=main stop --log-path=/tmp/a:remote',
    'an option alone': 'pgbackrest --stanza=main --log-path=/tmp/a:remote',
    'a command before another': 'pgbackrest expire archive-push:remote',
    'words that a tab keeps apart': 'pgbackrest --stanza=main stop\t--log-path=/tmp/a:remote',
    'words that a line break keeps apart': 'pgbackrest stop\n--log-path=/tmp/a:remote',
    'a second command of the shell': 'pgbackrest a:remote; id #:remote',
    'what the shell would fill in': 'pgbackrest --log-path=$(id) a:remote',
    'names of files': 'pgbackrest --log-path=* a:remote',
  }
  for (const [what, asked] of Object.entries(refused))
    it(`refuses ${what}`, () => {
      for (const shell of ['sh', 'bash']) assert.equal(call(asked, shell), REFUSED)
    })

  it('is told from a line that lets more in', () => {
    const now = `${peerOptions({ addresses: ['192.0.2.11', '192.0.2.12'] })} ssh-ed25519 AAAA cleverctl`
    const others = [
      // Of an earlier version, and of pgBackRest's manual.
      now.replace(
        /case .*esac/,
        'case \\"$SSH_ORIGINAL_COMMAND\\" in pgbackrest*:remote) exec x;; esac',
      ),
      now.replace(/case .*exit 64/, 'pgbackrest ${SSH_ORIGINAL_COMMAND#* }'),
      now.replace('restrict,', ''),
      now.replace(/^from="[^"]*",/, ''),
      now.replace(' ssh-ed25519', ',permitopen="*:*" ssh-ed25519'),
    ]
    assert.ok(isPeerLine(now))
    for (const line of others) assert.ok(line !== now && !isPeerLine(line), line)
  })
})
