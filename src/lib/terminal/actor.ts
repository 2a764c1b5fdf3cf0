import { hostname, userInfo } from 'node:os'
import type { Actor } from '../trail/actor.js'

/** The trail's column is for reading, not for storage of whole URLs. */
const MAX_LENGTH = 120

/**
 * Who runs this command, as the trail records it.
 * @param environment the process environment, where CI services name their job
 */
export function currentActor(environment: NodeJS.ProcessEnv): Actor {
  return { osUser: osUser(), host: hostname(), ciJob: ciJob(environment)?.slice(0, MAX_LENGTH) }
}

function osUser(): string {
  try {
    return userInfo().username
  } catch {
    // A container may run under a number that no passwd entry names.
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}

function ciJob(environment: NodeJS.ProcessEnv): string | undefined {
  const { GITHUB_RUN_ID, GITHUB_REPOSITORY, CI_JOB_ID, CI_PROJECT_PATH, BUILD_URL, CI } =
    environment
  if (GITHUB_RUN_ID) return `github:${GITHUB_REPOSITORY ?? ''}:${GITHUB_RUN_ID}`
  if (CI_JOB_ID) return `gitlab:${CI_PROJECT_PATH ?? ''}:${CI_JOB_ID}`
  // A URL may carry a login before its host; the trail must not.
  if (BUILD_URL) return `build:${BUILD_URL.replace(/\/\/[^/@]*@/, '//')}`
  return CI ? 'ci' : undefined
}
