import type { HostKey, JumpHost } from '../ssh/types.js'
import type { Workspace } from '../workspace.js'
import type { JumpToPin } from './jump.js'
import { selectCurrentCredentials, type RouterRow } from './store.js'
import { loginKind, type NewSecret, type RouterToAdd } from './to-add.js'

/** Whether everything that is asked for is recorded already, secrets included. */
export async function isRecorded(
  { database }: Workspace,
  recorded: RouterRow,
  asked: RouterToAdd,
  secrets: readonly NewSecret[],
): Promise<boolean> {
  const { driver, address, port, username, hostKey, jumps, login } = recorded
  const isHere =
    driver === asked.driver &&
    address === asked.address &&
    port === asked.port &&
    username === asked.username &&
    login === loginKind(asked) &&
    isKey(hostKey, asked.fingerprint)
  const isTheWay =
    jumps.length === asked.jumps.length &&
    jumps.every((jump, index) => isJump(jump, asked.jumps[index]))
  if (!isHere || !isTheWay) return false
  const current = await selectCurrentCredentials(database, recorded.id)
  return secrets.every(({ kind, name, digest }) =>
    current.some((one) => one.kind === kind && one.name === name && one.digest.equals(digest)),
  )
}

const isKey = (key: HostKey, fingerprint: string | undefined) =>
  fingerprint === undefined || key.fingerprint === fingerprint

function isJump(jump: JumpHost, asked: JumpToPin | undefined): boolean {
  return (
    jump.address === asked?.address &&
    jump.port === asked.port &&
    jump.username === asked.username &&
    isKey(jump.hostKey, asked.fingerprint)
  )
}
