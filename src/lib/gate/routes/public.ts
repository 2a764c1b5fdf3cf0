import type { FastifyInstance } from 'fastify'
import { selectSigningKeys } from '../../signing-key/store.js'
import { publicKeys } from '../../signing-key/jwks.js'
import { answerError } from '../answers.js'
import type { GateContext } from '../context.js'

/** A new key is published long before it signs. */
const JWKS_CACHE = 'public, max-age=300'

/** What anybody may ask: whether the gate lives, whether it can work, and the public keys of its tokens. */
export function addPublicRoutes(app: FastifyInstance, gate: GateContext): void {
  app.get('/healthz', { config: { isUnlimited: true } }, async () => ({ status: 'ok' }))

  app.get('/readyz', { config: { isUnlimited: true } }, async (request, reply) => {
    // The listener's heartbeat, a second old at most, is the database's answer.
    if (!gate.memory.isTrusted) return answerError(request, reply, 'unavailable')
    await gate.signer.get()
    return { status: 'ready' }
  })

  app.get('/.well-known/jwks.json', async (_request, reply) => {
    const keys = await selectSigningKeys(gate.database)
    void reply.header('cache-control', JWKS_CACHE)
    return publicKeys(keys, gate.workspace.clock.now())
  })
}
