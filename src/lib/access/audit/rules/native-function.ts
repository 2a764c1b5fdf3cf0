import { defineRule } from '../types.js'

/** A way past every check, in one function. */
export const nativeFunction = defineRule({
  id: 'native-function',
  severity: 'high',
  summary: 'a function is machine code that neither PostgreSQL nor an extension brought along',
  help: 'Languages internal and c: such a function does whatever the server may, and can be a second name of one of PostgreSQL without its rights.',
  references: ['NIST CM-7', 'NIST SI-7', 'ISO 27001 A.8.9'],
  needs: ['database', 'nativeFunctions'],
  find: ({ database, nativeFunctions }) =>
    nativeFunctions.map(({ name, owner }) => ({
      subject: `function ${name} in ${database}`,
      role: owner,
      evidence: `belongs to ${owner}`,
      fix: `in ${database}: look what it does, then drop function ${name}`,
      undo: `in ${database}: create function ${name} as it was`,
    })),
})
