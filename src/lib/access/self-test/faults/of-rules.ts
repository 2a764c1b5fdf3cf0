import { ENGINEER, PROGRAM, REPLICATOR } from '../people.js'
import type { Fault } from '../types.js'

/** A fault that is one line of pg_hba.conf. @param near a line that looks alike and is none */
function line(rule: string, hba: string, near?: string, who: string | null = null): Fault {
  return {
    ...{ rule, who, plant: { hba: [hba] } },
    ...(near === undefined ? {} : { nearMiss: { hba: [near] } }),
  }
}

const host = (type: string, where: string, method: string) =>
  `${type} fleet ${ENGINEER} ${where} ${method}`

/** Lines of pg_hba.conf and pg_ident.conf that should not be, or lack. */
export const FAULTS_OF_RULES: readonly Fault[] = [
  ...['md5', 'password', 'trust', 'ident'].map((method) =>
    line(
      'weak-method',
      host('hostssl', '10.77.0.1/32', method),
      host('hostssl', '10.77.0.1/32', 'cert'),
    ),
  ),
  line('weak-method', `local fleet ${ENGINEER} trust`, `local fleet ${ENGINEER} peer`),
  line(
    'plaintext',
    host('host', '10.77.0.1/32', 'scram-sha-256'),
    host('hostnossl', '10.77.0.1/32', 'reject'),
  ),
  line('plaintext', host('hostnossl', '10.77.0.1/32', 'scram-sha-256')),
  ...['all', '10.77.0.0/31', '0.0.0.0/0', '::/0', 'samenet', 'db.example.com'].map((where) =>
    line(
      'wide-address',
      host('hostssl', where, 'scram-sha-256'),
      host('hostssl', '10.77.0.11/32', 'scram-sha-256'),
    ),
  ),
  line(
    'everybody',
    `hostssl all ${ENGINEER} 10.77.0.1/32 scram-sha-256`,
    `hostssl "all" ${ENGINEER} 10.77.0.1/32 scram-sha-256`,
  ),
  line(
    'everybody',
    'hostssl fleet all 10.77.0.1/32 scram-sha-256',
    'hostssl fleet +fleet_readers 10.77.0.1/32 scram-sha-256',
  ),
  line(
    'superuser-over-network',
    'hostssl fleet all 10.77.0.1/32 scram-sha-256',
    'hostssl fleet +fleet_readers 10.77.0.1/32 scram-sha-256',
    'bootstrap',
  ),
  line(
    'replication-rule',
    `host replication ${REPLICATOR} 10.77.0.11/32 scram-sha-256`,
    `hostssl replication ${REPLICATOR} 10.77.0.11/32 cert`,
  ),
  line(
    'replication-rule',
    `hostssl replication ${REPLICATOR} 10.77.0.11/32 md5`,
    `hostssl "replication" ${REPLICATOR} 10.77.0.11/32 md5`,
  ),
  line(
    'rule-for-nobody',
    'hostssl fleet fleet_gone 10.77.0.1/32 scram-sha-256',
    'hostssl fleet fleet_gone 10.77.0.1/32 reject',
  ),
  line('rule-for-nobody', `hostssl gone ${ENGINEER} 10.77.0.1/32 scram-sha-256`),
  line(
    'broken-rule',
    host('hostssl', '10.77.0.1/99', 'scram-sha-256'),
    `# ${host('hostssl', '10.77.0.1/99', 'scram-sha-256')}`,
  ),
  line('broken-rule', host('hostssl', '10.77.0.1/32', 'scram')),
  line(
    'dead-rule',
    host('hostssl', '10.77.0.1/32', 'reject'),
    host('hostssl', '10.77.0.11/32', 'reject'),
  ),
  line(
    'dead-rule',
    `hostssl fleet ${PROGRAM} 10.77.1.7/32 cert`,
    `hostssl postgres ${PROGRAM} 10.77.1.7/32 cert`,
  ),
  line(
    'no-revocation-list',
    `hostssl postgres ${PROGRAM} 10.77.1.0/24 cert`,
    `hostssl postgres ${PROGRAM} 10.77.1.0/24 scram-sha-256`,
  ),
  { rule: 'no-last-reject', who: null, plant: { isOpenEnded: true } },
  {
    rule: 'no-last-reject',
    who: null,
    plant: { isOpenEnded: true, hba: ['host all all 0.0.0.0/0 reject'] },
  },
  { rule: 'rules-not-loaded', who: null, plant: { isUnread: true } },
  {
    rule: 'mapped-superuser',
    who: null,
    plant: {
      hba: [`local postgres ${ENGINEER} peer map=fleet`],
      ident: ['fleet www-data \\1', String.raw`fleet /^(.*)$ \1`],
    },
    nearMiss: {
      hba: [`local postgres ${ENGINEER} peer map=fleet`],
      ident: [`fleet www-data ${ENGINEER}`, String.raw`other /^(.*)$ \1`],
    },
  },
]
