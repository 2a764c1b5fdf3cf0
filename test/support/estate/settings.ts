import { randomBytes } from 'node:crypto'

/** sshd_config of every machine. Root comes in only by a forced command. */
export const SSHD = `HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin forced-commands-only
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
MaxStartups 100:30:200
Subsystem sftp internal-sftp
LogLevel VERBOSE
`

/** pgbackrest.conf of the backup machine. */
export function backupConfiguration(databases: readonly string[], data: string): string {
  const hosts = databases.map((name, index) => {
    const key = `pg${index + 1}`
    return `${key}-host=${name}\n${key}-host-user=postgres\n${key}-path=${data}\n`
  })
  return `[global]
repo1-path=/var/lib/pgbackrest
repo1-retention-full=2
expire-auto=n
repo1-cipher-type=aes-256-cbc
repo1-cipher-pass=${randomBytes(48).toString('base64')}
repo1-bundle=y
compress-type=zst
compress-level=1
process-max=2
start-fast=y
backup-standby=y
log-level-console=warn
log-level-file=detail
[main]
${hosts.join('')}`
}

/** pgbackrest.conf of a database machine. */
export function databaseConfiguration(data: string): string {
  return `[global]
repo1-host=bak1
repo1-host-user=pgbackrest
compress-type=zst
log-level-console=warn
log-level-file=detail
[main]
pg1-path=${data}
`
}
