import { defineRule } from '../types.js'

/** A login at another server, by which this one is filled. */
export const subscription = defineRule({
  id: 'subscription',
  severity: 'medium',
  summary: 'a database is filled from another server',
  help: 'A subscription keeps the login at the other server in clear, and what it brings is trusted.',
  references: ['NIST AC-4', 'ISO 27001 A.8.20'],
  needs: ['database', 'subscriptions'],
  find: ({ database, subscriptions }) =>
    subscriptions.map(({ name, owner }) => ({
      subject: `subscription ${name} in ${database}`,
      role: owner,
      evidence: `belongs to ${owner}`,
      fix: `in ${database}: alter subscription ${name} disable; drop subscription ${name}`,
      undo: `in ${database}: create subscription ${name}, with its connection`,
    })),
})
