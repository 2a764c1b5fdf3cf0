import { LAST_GRANTED_LINE } from '../../hba/block.js'
import { GRANTS, HANDLES, linesOfGrant } from '../people.js'
import type { Change, Fault } from '../types.js'

const { byPassword, byCertificate, ended } = GRANTS
const line = (role: string, method: string, where = 'hostssl fleet') =>
  `${where} ${role} 10.77.0.1/32 ${method}`
const ofPassword = (method: string, where?: string) => line(byPassword.role, method, where)
const WIDE = 'hostssl fleet all 10.77.0.0/16'

function differs(plant: Change, nearMiss?: Change): Fault {
  const fault = { rule: 'otherwise-than-granted', who: HANDLES.engineer, plant }
  return nearMiss === undefined ? fault : { ...fault, nearMiss }
}

/** The same where the role of a grant by certificate is there. */
function withCertificate(granted: readonly string[]): Change {
  const { role } = byCertificate
  return {
    sql: [`create role ${role} login connection limit 1 valid until '2098-01-01'`],
    mend: [`drop role ${role}`],
    granted,
  }
}

/** Lines of grants that were changed, and one that outlived its grant. */
export const FAULTS_OF_GRANTS: readonly Fault[] = [
  differs(
    { granted: [LAST_GRANTED_LINE] },
    {
      granted: [
        line('+cleverctl_granted', 'scram-sha-256'),
        `# ${ofPassword('cert')}`,
        LAST_GRANTED_LINE,
      ],
    },
  ),
  differs({ granted: [] }),
  differs({ granted: [`# ${ofPassword('scram-sha-256')}`, LAST_GRANTED_LINE] }),
  differs({ granted: [ofPassword('cert'), LAST_GRANTED_LINE] }),
  differs({ granted: [`${WIDE} cert`, ...linesOfGrant(byPassword)] }, { hba: [`${WIDE} cert`] }),
  differs({ granted: [ofPassword('scram-sha-256', 'host fleet'), LAST_GRANTED_LINE] }),
  differs({
    granted: [ofPassword('scram-sha-256', 'hostssl postgres'), ...linesOfGrant(byPassword)],
  }),
  differs(
    { granted: [ofPassword('scram-sha-256')], hba: [`${WIDE} scram-sha-256`] },
    { hba: [`${WIDE} scram-sha-256`] },
  ),
  differs(
    withCertificate([line(byCertificate.role, 'scram-sha-256'), ...linesOfGrant(byPassword)]),
    withCertificate([line(byCertificate.role, 'cert'), ...linesOfGrant(byPassword)]),
  ),
  differs(
    withCertificate([line(byCertificate.role, 'cert map=fleet'), ...linesOfGrant(byPassword)]),
  ),
  {
    rule: 'rule-of-ended-grant',
    who: HANDLES.engineer,
    plant: { hba: [line(ended.role, 'scram-sha-256')] },
    nearMiss: { hba: [line(ended.role, 'reject')] },
  },
]
