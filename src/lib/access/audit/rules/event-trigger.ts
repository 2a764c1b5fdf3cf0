import { defineRule } from '../types.js'

/** Something that runs whenever somebody makes, changes or removes an object. */
export const eventTrigger = defineRule({
  id: 'event-trigger',
  severity: 'medium',
  summary: 'a database has an event trigger',
  help: 'It runs with the rights of whoever changes an object, a superuser too. Those of extensions are passed over.',
  references: ['NIST CM-6', 'ISO 27001 A.8.9'],
  needs: ['database', 'eventTriggers'],
  find: ({ database, eventTriggers }) =>
    eventTriggers.map(({ name, owner }) => ({
      subject: `event trigger ${name} in ${database}`,
      role: owner,
      evidence: `belongs to ${owner}`,
      fix: `in ${database}: alter event trigger ${name} disable, then look what it does`,
      undo: `in ${database}: alter event trigger ${name} enable`,
    })),
})
