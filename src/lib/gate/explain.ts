import { parseApiKey } from '../api-key/format.js'
import { apiKeyStanding } from '../api-key/standing.js'
import { getDevice } from '../device/show.js'
import { isSerial } from '../device/types.js'
import { FindingsError } from '../errors.js'
import type { Secret } from '../secret.js'
import { loadVerificationKeys } from '../signing-key/verification-keys.js'
import { examineToken, verifyToken } from '../token/verify.js'
import type { Workspace } from '../workspace.js'
import { compareKey } from './arrivals.js'
import {
  checkAccess,
  checkInstalled,
  checkManufactured,
  decideArrival,
  type ArrivalFacts,
} from './decide-arrival.js'
import { mendFor, type Subject } from './mend.js'
import { selectDevice, selectKey, type StoredKey } from './store.js'
import { meaningOf, type RefusalCode, type Requirement } from './types.js'

/** What decided a requirement: columns of rows, no secret among them. */
export type DecidingRow = Record<string, string | number | boolean | null>

/** How one requirement came out. */
export interface ExplainedRequirement {
  requirement: Requirement
  /** What is required, in words. */
  name: string
  /** Null: not even the requirement's subject is known. */
  passed: boolean | null
  code: RefusalCode | null
  meaning: string | null
  row: DecidingRow | null
  /** The command, or the step, that would mend it. */
  mend: string | null
}

/** The gate's decision on a request, with its reasons. */
export interface Explanation {
  accepted: boolean
  requirements: ExplainedRequirement[]
}

/**
 * Runs the gate's own decision on credentials and says for each requirement which row decided it. Asks
 * the database directly, as a gate does whose memory is empty. What stands behind a failed requirement is
 * shown as well, as far as the token names its device.
 * @throws FindingsError with the explanation when the gate would refuse them
 */
export async function explainArrival(
  workspace: Workspace,
  sent: { apiKey: Secret | undefined; token: Secret | undefined },
): Promise<Explanation> {
  const { facts, keyRow, subject, tokenFaults } = await gatherFacts(workspace, sent)
  const decision = decideArrival(facts)
  const access = checkAccess(facts)
  const manufactured = checkManufactured(facts.device)
  const device = facts.device && (await getDevice(workspace, { serial: facts.device.serial }))
  const explain = (requirement: Requirement, name: string, code: RefusalCode | null) => ({
    requirement,
    name,
    passed: code === null,
    code,
    meaning: code === null ? null : meaningOf(code),
    mend: code === null ? null : mendFor(code, subject),
  })
  const unknown = (requirement: Requirement, name: string): ExplainedRequirement => ({
    ...explain(requirement, name, null),
    passed: null,
    row: null,
  })
  const first = {
    ...explain(1, NAMES[1], access.passed ? null : access.code),
    row: describeAccess(facts, keyRow, tokenFaults),
  }
  const second =
    subject.serial === undefined
      ? unknown(2, NAMES[2])
      : {
          ...explain(2, NAMES[2], manufactured.passed ? null : manufactured.code),
          row: device
            ? {
                serial: device.serial,
                model: device.model,
                batch: device.batch,
                manufacturedAt: device.manufacturedAt,
                revokedAt: device.revokedAt,
                revokeReason: device.revokeReason,
              }
            : { serial: subject.serial },
        }
  const installed = facts.device && keyRow && checkInstalled(facts.device, keyRow)
  const [placement] = device?.placements ?? []
  const third =
    installed === undefined
      ? unknown(3, NAMES[3])
      : {
          ...explain(3, NAMES[3], installed.passed ? null : installed.code),
          row: placement
            ? {
                installation: placement.installation,
                installer: placement.installer,
                installedAt: placement.installedAt,
                removedAt: placement.removedAt,
                removedBy: placement.removedBy,
              }
            : null,
        }
  const explanation = {
    accepted: decision.verdict === 'accepted',
    requirements: [first, second, third],
  }
  if (decision.verdict === 'accepted') return explanation
  throw new FindingsError('arrival-refused', `the gate refuses this: ${meaningOf(decision.code)}`, {
    result: explanation,
    suggestions: [mendFor(decision.code, subject)],
  })
}

const NAMES: Record<Requirement, string> = {
  1: 'API key and token are right',
  2: 'the device was manufactured',
  3: 'the device was installed with the mobile app',
}

interface Gathered {
  facts: ArrivalFacts
  /** The row that the key id names, whether the key is right or not. */
  keyRow: StoredKey | undefined
  subject: Subject
  /** What is wrong with the token, rule by rule. */
  tokenFaults: string | null
}

async function gatherFacts(
  { database, clock }: Workspace,
  sent: { apiKey: Secret | undefined; token: Secret | undefined },
): Promise<Gathered> {
  const apiKey = sent.apiKey?.reveal()
  const token = sent.token?.reveal()
  const parsed = apiKey === undefined ? undefined : parseApiKey(apiKey)
  const keyRow = parsed && (await selectKey(database, parsed.keyId))
  const verificationKeys = await loadVerificationKeys(database)
  const now = clock.now()
  const expectation = { now, audience: 'ingest' as const }
  const verdict = verifyToken(token, verificationKeys, expectation)
  const examined = examineToken(token ?? '', verificationKeys, expectation)
  const claimed = examined.claims?.['serial']
  const serial = typeof claimed === 'string' && isSerial(claimed) ? claimed : undefined
  const broken = examined.rules.filter((rule) => rule.verdict === 'fail')
  return {
    facts: {
      now,
      key: apiKey === undefined ? { found: 'missing' } : compareKey(apiKey, keyRow),
      token: verdict,
      device: serial === undefined ? undefined : await selectDevice(database, serial),
    },
    keyRow,
    subject: {
      serial,
      keyInstallation: keyRow?.installation.code,
      tokenInstallation: verdict.ok ? verdict.claims.installation : undefined,
    },
    tokenFaults:
      token === undefined
        ? null
        : broken.map(({ rule, detail }) => `${rule}: ${detail}`).join('; '),
  }
}

function describeAccess(
  { key, token, now }: ArrivalFacts,
  row: StoredKey | undefined,
  tokenFaults: string | null,
): DecidingRow {
  return {
    ...(row && {
      keyId: row.keyId,
      version: row.version,
      state: apiKeyStanding(row, now),
      installation: row.installation.code,
      expiresAt: row.expiresAt?.toISOString() ?? null,
      graceUntil: row.graceUntil?.toISOString() ?? null,
      keyMatches: key.found === 'row',
    }),
    ...(token.ok && {
      tokenSerial: token.claims.serial,
      tokenInstallation: token.claims.installation,
    }),
    ...(tokenFaults && { tokenFaults }),
  }
}
