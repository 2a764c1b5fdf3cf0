import type { RepositoryBackups } from '../backup/judge-backups.js'
import type { DrillResult } from '../drill/types.js'
import type { SeenArchiver, SeenSlot } from './ask.js'

/** What a host was found to be. */
export type ClusterRole = 'primary' | 'standby' | 'backup' | 'down' | 'unknown'

/** A host of the cluster as it was found. */
export interface ClusterHost {
  name: string
  role: ClusterRole
  location: string | null
  /** How far its clock is ahead of ours; null where it was not reached. */
  clockOffsetMs: number | null
  /** PostgreSQL's, as a number: 150018. */
  version: number | null
  systemIdentifier: string | null
  timeline: number | null
  lsn: string | null
  /** What a standby has not replayed yet of what the primary has written. */
  lagBytes: number | null
  /** A standby shows the data at most so many seconds late. */
  lagSeconds: number | null
  /** Whether WAL comes from the primary at this moment; null on others than standbys. */
  isStreaming: boolean | null
  /** `async`, `sync`, `potential` or `quorum`, as the primary says. */
  syncState: string | null
  slots: SeenSlot[]
  archiver: SeenArchiver | null
  /** The last snapshot that was taken of it and is still there, as far as is recorded. */
  lastSnapshot: ClusterSnapshot | null
  /** The last drill of a copy that this host keeps. */
  lastDrill: ClusterDrill | null
}

/** A snapshot, and the set to which it belongs. */
export interface ClusterSnapshot {
  set: string
  takenAt: string
  ageSeconds: number
}

/** A drill, and what came of it. */
export interface ClusterDrill {
  /** The label of a backup, the set of a snapshot. */
  subject: string
  result: DrillResult
  endedAt: string
  ageSeconds: number
}

/** The last backup, and the state of what holds it. */
export interface ClusterBackup {
  host: string
  status: string
  last: { label: string; type: string; stoppedAt: string; ageSeconds: number } | null
  repositories: RepositoryBackups[]
}

/** Something that is not as it should be. */
export interface ClusterProblem {
  code: string
  severity: 'critical' | 'warning'
  /** The host that it is about; null where it is about all of them. */
  host: string | null
  message: string
}

/** How a cluster stands. */
export interface ClusterStatus {
  checkedAt: string
  stanza: string
  /** Name of the primary; null where there is none, or more than one. */
  primary: string | null
  hosts: ClusterHost[]
  backup: ClusterBackup | null
  redundancy: {
    /** Database hosts that have the data and follow, the primary among them; null where that is not known. */
    copies: number | null
    /** Why it is not known how many they are; null where it is. */
    copiesReason: string | null
    /** Whether there is a backup on another machine. */
    hasBackup: boolean
    /** In how many places all of that is; null where nobody said where some of it is. */
    locations: number | null
  }
  problems: ClusterProblem[]
  /** What could not be asked, and why. */
  notChecked: { host: string; reason: string }[]
}

/** From when on something is a problem. */
export interface ClusterLimits {
  maxLagMs: number
  maxBackupAgeMs: number
  /** For the last drill that proved a backup. */
  maxDrillAgeMs: number
}
