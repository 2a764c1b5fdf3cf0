import assert from 'node:assert/strict'
import { runCli } from '../support/cli.js'

/** Command lines that are wrong in ways which oclif words by itself, and how we say it. */
const WRONG: readonly (readonly [args: string, message: string])[] = [
  ['status s3cret', 'too many arguments: at most 0 are taken'],
  [
    'api-key revoke solar-0042',
    'at least one of the following must be provided: --compromised, --reason; exactly one of the following must be provided: --all, --key',
  ],
  ['api-key revoke solar-0042 --key s3cret --all --reason x', '--all and --key exclude each other'],
  [
    'gate explain --request s3cret --api-key-file s3cret --token-file s3cret',
    '--request and --api-key-file exclude each other; --request and --token-file exclude each other',
  ],
  ['token revoke', 'exactly one of the following must be provided: --device, --installation'],
]

describe('a wrong command line', () => {
  for (const [args, message] of WRONG) {
    it(`is told in one line, without what was given: ${args}`, async () => {
      const { code, json, stdout } = await runCli([...args.split(' '), '--json'])
      assert.equal(code, 2)
      const { error } = json() as { error: { message: string } }
      assert.equal(error.message, message)
      assert.doesNotMatch(stdout, /s3cret/)
    })
  }
})
