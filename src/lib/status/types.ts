import type { DatabaseTarget } from '../database/database.js'
import type { SomeInstallations } from '../doctor/store.js'
import type { Count } from './store.js'

/** Something worth doing now. */
export interface NextStep {
  reason: string
  command: string
}

/** The key that signs tokens, and the one that will. */
export interface SigningKeyAge {
  kid: string
  state: string
  /** Since when it is in that state. */
  since: string
}

/** Everything on one screen. */
export interface Status {
  profile: string
  database: Pick<DatabaseTarget, 'mode' | 'description'>
  installations: { active: number; retired: number; withoutKey: SomeInstallations }
  /** All of them, and how many of them stand somewhere now or were revoked. */
  devices: { registered: Count; installed: Count; revoked: Count }
  /** Who may log in to the app. */
  installers: number
  apiKeys: { inGrace: number; expiringWithin30Days: SomeInstallations }
  signingKeys: SigningKeyAge[]
  readings: { lastHour: Count; lastDay: Count }
  refusalsLastDay: { code: string; count: number }[]
  /** Absent before the first change. */
  trail?: { seq: number; hash: string; at: string }
  next: NextStep[]
}
