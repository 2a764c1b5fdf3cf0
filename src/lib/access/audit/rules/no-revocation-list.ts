import { letsIn } from '../hba-found.js'
import { defineRule } from '../types.js'

/** A certificate that nobody can take back. */
export const noRevocationList = defineRule({
  id: 'no-revocation-list',
  severity: 'medium',
  summary: 'a rule lets in by certificate, and the server knows of no revoked ones',
  help: 'Without ssl_crl_file or ssl_crl_dir a certificate that was stolen is good until it ends.',
  references: ['NIST IA-5', 'NIST SC-17', 'ISO 27001 A.8.24'],
  needs: ['settings', 'hba'],
  find: ({ settings, hba }) => {
    const isKnown = ['ssl_crl_file', 'ssl_crl_dir'].some(
      (name) => (settings.get(name) ?? '') !== '',
    )
    const rule = hba.rules.find((each) => letsIn(each) && each.method === 'cert')
    if (isKnown || !rule) return []
    return [
      {
        subject: 'setting ssl_crl_file',
        role: null,
        evidence: `line ${rule.line} lets in by certificate, and neither ssl_crl_file nor ssl_crl_dir is set`,
        fix: "alter system set ssl_crl_file = 'root.crl'; select pg_reload_conf()",
        undo: 'alter system reset ssl_crl_file; select pg_reload_conf()',
      },
    ]
  },
})
