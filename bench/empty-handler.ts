/**
 * The baseline of the gate's figures: the same Fastify on HTTPS with handlers that decide nothing.
 * Arguments: port, certificate, key.
 */
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'

const [port = '0', certificate = '', key = ''] = process.argv.slice(2)
const server = Fastify({
  logger: false,
  https: { cert: readFileSync(certificate), key: readFileSync(key), minVersion: 'TLSv1.2' },
})
server.get('/readyz', async () => ({ ready: true }))
server.get('/v1/authorize', async (_request, reply) => reply.code(204).send())
server.post('/v1/data', async (_request, reply) =>
  reply.code(202).send({ accepted: 1, duplicates: 0 }),
)
await server.listen({ host: '127.0.0.1', port: Number(port) })
