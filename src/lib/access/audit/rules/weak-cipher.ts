import { foundSetting, isListening } from '../setting-found.js'
import { defineRule } from '../types.js'

/** Words of OpenSSL that stand for, or hold, ciphers that can be broken. */
const WEAK =
  /^\+?(MEDIUM|LOW|EXP|EXPORT|NULL|eNULL|aNULL|RC4|DES|3DES|MD5|SEED|IDEA|ALL|COMPLEMENTOFALL)$/

/** A list of ciphers with weak ones in it. */
export const weakCipher = defineRule({
  id: 'weak-cipher',
  severity: 'medium',
  summary: 'the server offers weak ciphers',
  help: 'ssl_ciphers is about TLS 1.2; the ciphers of TLS 1.3 are all good. The default has MEDIUM and 3DES in it.',
  references: ['NIST SC-13', 'ISO 27001 A.8.24', 'CIS PostgreSQL 6.10'],
  needs: ['settings'],
  find: ({ settings }) => {
    const value = settings.get('ssl_ciphers') ?? ''
    const weak = value.split(/[:, ]/).filter((word) => WEAK.test(word))
    if (!isListening(settings) || settings.get('ssl') !== 'on' || weak.length === 0) return []
    const evidence = `ssl_ciphers holds ${weak.join(', ')}`
    return [foundSetting('ssl_ciphers', value, { evidence, better: "'HIGH:!aNULL:!MD5:!3DES'" })]
  },
})
