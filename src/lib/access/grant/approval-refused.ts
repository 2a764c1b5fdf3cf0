import { StatementError } from '../../database/statement-error.js'
import { ConflictError, RefusedError, type ExpectedError } from '../../errors.js'

/** What the guard of the table access_grant says, by the name of its constraint. */
const REFUSALS: Record<string, (subject: string) => ExpectedError> = {
  access_grant_known_person: (subject) =>
    new RefusedError(
      'person-unknown',
      `${subject}: this login speaks for no member of staff, so nobody could tell whether two people agree`,
      {
        suggestions: ['log in as a role of your own that is on the list: cleverctl staff list'],
      },
    ),
  access_grant_second_person: (subject) =>
    new RefusedError(
      'second-person-needed',
      `${subject}: somebody else has to approve than who asked for it and who is let in by it`,
      { suggestions: ['cleverctl access grants'] },
    ),
  access_grant_needs_approval: (subject) =>
    new ConflictError('policy-changed', `${subject}: the policy was changed at this moment`, {
      suggestions: ['give the command again'],
    }),
  access_grant_lapsed: (subject) =>
    new ConflictError('request-lapsed', `${subject} has waited too long and lapsed`, {
      suggestions: ['cleverctl access expire, then ask for it again'],
    }),
  access_grant_list: (subject) =>
    new ConflictError(
      'staff-not-valid',
      `${subject}: who asked for it or who is to be let in is not on the list, or not long enough`,
      { suggestions: ['cleverctl staff list'] },
    ),
}

/**
 * Puts into words what the database refuses about approvals.
 * @param subject what the change is about, for the message
 * @throws RefusedError for who may not approve, ConflictError for what cannot be approved
 */
export async function approvalChecked<Result>(
  subject: string,
  change: Promise<Result>,
): Promise<Result> {
  return change.catch((error: unknown) => {
    const refusal =
      error instanceof StatementError ? REFUSALS[error.constraint ?? '']?.(subject) : undefined
    throw refusal ?? error
  })
}
