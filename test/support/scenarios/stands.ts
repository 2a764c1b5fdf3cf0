import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemRandom } from '../../../src/lib/clock.js'
import { hashPassword } from '../../../src/lib/installer/password.js'
import { Secret } from '../../../src/lib/secret.js'
import type { Look } from '../content.js'
import type { Stand } from './types.js'
import { HOST_KEY, secretWord } from './values.js'

/** What all stands share. */
type Shared = Pick<Stand, 'apiKey' | 'token' | 'forgedToken' | 'routerInstallation'>

/** Where commands of the scenarios get what they stand on. */
export class Stands {
  readonly folder: string
  readonly #shared: Shared
  readonly #last: number
  #number = FIRST

  private constructor(folder: string, shared: Shared, last: number) {
    this.folder = folder
    this.#shared = shared
    this.#last = last
  }

  /**
   * Furnishes an empty, migrated database by SQL, and gets a key and a token by the real commands.
   * @param given.run runs a command that must succeed, as staff unless another role is named
   * @param given.count how many stands there will be
   */
  static async prepare(given: {
    folder: string
    count: number
    look: Look
    run(words: readonly string[], role?: 'owner'): Promise<unknown>
  }): Promise<Stands> {
    const { folder, count, look, run } = given
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const hash = await hashPassword(new Secret('the password before'), systemRandom)
    await look(furniture(FIRST, FIRST + count, hash))
    const [key, token] = [join(folder, 'shared-key.txt'), join(folder, 'shared-token.txt')]
    await run(['init', '--yes'])
    await run(['access', 'ca', 'create'], 'owner')
    await run(['api-key', 'issue', `bare-${FIRST}`, '--output', key])
    await look(`update cleverctl.placement set installation_id = installation.id
      from cleverctl.installation, cleverctl.device
      where device.id = device_id and serial = 'CDX-${FIRST}' and code = 'bare-${FIRST}'`)
    await run(['token', 'issue', `CDX-${FIRST}`, '--ttl', '1h', '--output', token])
    const routerInstallation = `bare-${FIRST}`
    const [password, wifi] = ['router', 'wifi'].map((name) => {
      const file = join(folder, `shared-${name}-password.txt`)
      writeFileSync(file, `${secretWord()}\n`, { mode: 0o600 })
      return file
    })
    await run(
      `router add ${routerInstallation} --driver openwrt --address 127.0.0.1 --offline --host-key ${HOST_KEY}
       --password-file ${password} --ssid CLV-1000 --wifi-password-file ${wifi}`.split(/\s+/),
    )
    const text = (file: string) => readFileSync(file, 'utf8').trimEnd()
    const [head = '', claims = ''] = text(token).split('.')
    const forgedToken = `${head}.${claims}.${systemRandom.bytes(64).toString('base64url')}`
    const shared = { apiKey: text(key), token: text(token), forgedToken, routerInstallation }
    return new Stands(folder, shared, FIRST + count)
  }

  /** A stand that nobody has used. */
  next(): Stand {
    const number = (this.#number += 1)
    if (number > this.#last) throw new Error('there are more stands in use than were furnished')
    const path = (name: string) => join(this.folder, `${number}-${name}`)
    return {
      number,
      installation: `solar-${number}`,
      bareInstallation: `bare-${number}`,
      serial: `CDX-${number}`,
      campaign: String(number),
      email: `installer-${number}@example.com`,
      path,
      file: (name, text) => {
        writeFileSync(path(name), text, { mode: 0o600 })
        return path(name)
      },
      password: `correct horse ${systemRandom.bytes(9).toString('base64url')}`,
      ...this.#shared,
    }
  }

  /** Every secret in the files that commands were given or have made so far, with the file's name. */
  secrets(): { file: string; text: string }[] {
    const files = readdirSync(this.folder, { withFileTypes: true }).filter((each) => each.isFile())
    return files.flatMap(({ name: file }) => {
      const lines = readFileSync(join(this.folder, file), 'utf8').trimEnd().split('\n')
      const texts = /secrets\.csv$/.test(file)
        ? lines.slice(1).map((line) => line.split(',')[1] ?? '')
        : /(key|token|forged|secret|password)\.txt$/.test(file)
          ? lines
          : []
      return texts.filter((text) => text !== '').map((text) => ({ file, text }))
    })
  }
}

const FIRST = 1000

function furniture(from: number, to: number, passwordHash: string): string {
  const numbers = `generate_series(${from}, ${to}) as n`
  return `
    insert into cleverctl.installation (code, name, timezone, latitude, longitude)
    select kind || n, 'Almeria ' || n, 'Europe/Madrid', 36.84, -2.46
    from ${numbers}, unnest(array['solar-', 'bare-']) as kind;
    insert into cleverctl.installer (email, name, password_hash)
    select 'installer-' || n || '@example.com', 'Installer ' || n, '${passwordHash}' from ${numbers};
    insert into cleverctl.account (kind, handle, description, networks, added_at)
    select 'staff', kind || n || '@example.com', 'Engineer ' || n, '{10.77.0.1/32}', now()
    from ${numbers}, unnest(array['staff-', 'waiting-']) as kind;
    insert into cleverctl.account (kind, handle, description, owner_id, networks, added_at)
    select 'service-account', 'program-' || n, 'replication', id, '{10.77.0.11/32}', now()
    from ${numbers} join cleverctl.account on handle = 'staff-' || n || '@example.com';
    insert into cleverctl.account_role (role_name, account_id)
    select replace(split_part(handle, '@', 1), '-', '_'), id from cleverctl.account;
    insert into cleverctl.access_acceptance
      (id, rule, subject, owner_id, reason, valid_until, accepted_at)
    overriding system value
    select n, 'superuser', 'role dba-' || n, id, 'break glass', '2099-12-31', now()
    from ${numbers} join cleverctl.account on handle = 'staff-' || n || '@example.com';
    insert into cleverctl.access_canary
      (id, kind, server, database_name, name, reference, state, planted_at)
    overriding system value
    select n, 'role', 'postgres://x@127.0.0.1:1/x?connect_timeout=1&sslmode=disable', '', 'canary_' || n,
      'ref ' || n, 'PLANTED', now() from ${numbers};
    alter table cleverctl.access_grant disable trigger access_grant_guard;
    insert into cleverctl.access_grant
      (id, account_id, role_name, servers, databases, is_read_only, reason, verifier, state, ends_at, granted_at,
       requested_by, requested_as, lapses_at)
    overriding system value
    select n, id, 'cleverctl_g_' || n, '{}', '{fleet}', true, 'ticket 4711', 'SCRAM-SHA-256$4096:', 'REQUESTED',
      '2099-01-01', now(), id, 'waiting_' || n, '2099-01-01'
    from ${numbers} join cleverctl.account on handle = 'waiting-' || n || '@example.com';
    alter table cleverctl.access_grant enable trigger access_grant_guard;
    insert into cleverctl.device (serial, model, batch, manufactured_at, secret_sha256)
    select 'CDX-' || n, 'CleverDx', 'B-1', '2026-01-02', sha256(n::text::bytea) from ${numbers};
    insert into cleverctl.api_key (key_id, installation_id, version, state, digest)
    select 'KEY0' || n, id, 1, 'CURRENT', sha256(n::text::bytea)
    from ${numbers} join cleverctl.installation on code = 'solar-' || n;
    insert into cleverctl.router (installation_id, driver, address, port, username, login, host_key_type,
      host_key_sha256, added_at)
    select id, 'openwrt', '127.0.0.1', 1, 'root', 'password', 'ssh-ed25519', sha256(n::text::bytea), now()
    from ${numbers} join cleverctl.installation on code = 'solar-' || n;
    insert into cleverctl.host (name, role, address, port, username, host_key_type, host_key_sha256, stanza,
      postgresql_port, data_directory, added_at)
    select 'db-' || n, 'database', '127.0.0.1', 1, 'postgres', 'ssh-ed25519', sha256(n::text::bytea), 'main',
      5432, '/var/lib/postgresql/15/main', now() from ${numbers};
    insert into cleverctl.installer_assignment (installer_id, installation_id)
    select installer.id, installation.id from ${numbers}
    join cleverctl.installer on email = 'installer-' || n || '@example.com'
    join cleverctl.installation on code = 'solar-' || n;
    insert into cleverctl.campaign
      (id, operation, parameters, pace, fingerprint, state_since, watched_from, created_at, created_by)
    overriding system value
    select n, 'api-key rotate', '{"graceMs": 86400000}',
      '{"waves": [{"percent": 100}], "maxFailures": {"percent": 2}, "maxRefusals": null,
        "wavePauseMs": 0, "jitterMs": 0, "window": null}',
      sha256(n::text::bytea), now(), now(), now(), 'staff@host' from ${numbers};
    insert into cleverctl.campaign_target
      (campaign_id, position, target, operation, installation_id, wave, ready_at)
    select n, 1, code, 'api-key rotate', id, 1, now()
    from ${numbers} join cleverctl.installation on code = 'solar-' || n;
    insert into cleverctl.placement (device_id, installation_id, installer_id, during)
    select device.id, installation.id, installer.id, tstzrange('2026-02-01', null) from ${numbers}
    join cleverctl.device on serial = 'CDX-' || n
    join cleverctl.installation on code = 'solar-' || n
    join cleverctl.installer on email = 'installer-' || n || '@example.com'`
}
