import type { SecretDelivery } from '../../src/lib/secret-delivery.js'

/** A delivery that keeps the last secret for the test to look at. */
export function keptSecret(): { delivery: SecretDelivery; secret: () => string } {
  let kept = ''
  return {
    secret: () => kept,
    delivery: {
      resume: async () => false,
      stage: async (secret) => {
        kept = secret.reveal()
      },
      finish: async () => undefined,
      discard: async () => undefined,
      revealed: () => undefined,
    },
  }
}
