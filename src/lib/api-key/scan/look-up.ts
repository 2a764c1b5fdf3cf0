import type { Workspace } from '../../workspace.js'
import type { Knowledge } from './judge.js'
import { selectDevicesByDigest, selectKeysById, type KnownDevice } from './store.js'
import type { Find } from './types.js'

/** Ids or digests in one statement. */
const AT_ONCE = 10_000

/**
 * What the database knows of everything that was found, by one statement for thousands of finds.
 * Throws what the database throws: UnreachableError, RefusedError for an auditor, who sees no digests.
 */
export async function lookUp(
  { database, signal }: Workspace,
  finds: readonly Find[],
): Promise<Knowledge> {
  const keyIds = new Set(finds.flatMap(({ candidate }) => candidate.keyId ?? []))
  const digests = new Map(
    finds
      .filter(({ candidate }) => candidate.kind === 'device-secret')
      .map(({ candidate: { digest } }) => [digest.toString('hex'), digest]),
  )
  const keys = []
  for (const some of batches([...keyIds])) {
    signal.throwIfAborted()
    keys.push(...(await selectKeysById(database, some)))
  }
  const devices = new Map<string, KnownDevice>()
  for (const some of batches([...digests.values()])) {
    signal.throwIfAborted()
    for (const device of await selectDevicesByDigest(database, some)) {
      devices.set(device.secretSha256.toString('hex'), device)
      const former = device.previousSecretSha256
      if (former !== null) devices.set(former.toString('hex'), device)
    }
  }
  return { keys: new Map(keys.map((key) => [key.keyId, key])), devices }
}

function* batches<Item>(items: readonly Item[]): Generator<Item[]> {
  for (let start = 0; start < items.length; start += AT_ONCE)
    yield items.slice(start, start + AT_ONCE)
}
