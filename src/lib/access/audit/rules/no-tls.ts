import { defineRule } from '../types.js'

/** A server that cannot encrypt. */
export const noTls = defineRule({
  id: 'no-tls',
  severity: 'high',
  summary: 'the server listens on the network and has TLS off, or takes TLS below 1.2',
  help: 'A server that listens on its unix socket alone needs none.',
  references: ['NIST SC-8', 'ISO 27001 A.8.24', 'CIS PostgreSQL 6.8'],
  needs: ['settings'],
  find: ({ settings }) => {
    const tls = settings.get('ssl') ?? ''
    const least = settings.get('ssl_min_protocol_version') ?? ''
    const isGood = tls === 'on' && /^TLSv1\.[23]$/.test(least)
    if (isGood || settings.get('listen_addresses') === '') return []
    return [
      {
        subject: 'setting ssl',
        role: null,
        evidence: `ssl is ${tls}, ssl_min_protocol_version is ${least}`,
        fix: "alter system set ssl = on; alter system set ssl_min_protocol_version = 'TLSv1.2'; select pg_reload_conf()",
        undo: `alter system set ssl = ${tls}; alter system set ssl_min_protocol_version = '${least}'; select pg_reload_conf()`,
      },
    ]
  },
})
