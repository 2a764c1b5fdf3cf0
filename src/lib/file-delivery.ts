import { requirePlace } from './file-system.js'
import { leftover, openSecretFile, requireFree, type SecretFile } from './new-secret-file.js'
import type { SecretDelivery } from './secret-delivery.js'

/** Delivers one secret to a file of its own: the secret and a newline, mode 0600, never overwriting. */
export function fileDelivery(path: string): SecretDelivery {
  let file: SecretFile | undefined
  return {
    resume: async (isCommitted) => {
      await requirePlace(path)
      const left = await leftover(path)
      if (left === undefined) return false
      try {
        const secret = await left.secret()
        const hasCommitted = secret !== undefined && (await isCommitted(secret))
        await (hasCommitted ? left.complete() : left.discard())
        return hasCommitted
      } finally {
        await left.close()
      }
    },
    requireFree: () => requireFree(path),
    stage: async (secret) => {
      file = await openSecretFile(path)
      await file.write(`${secret.reveal()}\n`)
      await file.publish()
    },
    finish: async () => file?.finish(),
    discard: async () => file?.discard(),
    leave: async () => file?.leave(),
    revealed: () => undefined,
  }
}
