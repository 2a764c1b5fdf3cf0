import { unknownDevices } from '../device/find.js'
import { unknownInstallation } from '../installation/types.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { raiseDeviceEpoch, raiseInstallationEpoch } from './store.js'

/** Whose tokens to end. */
export type TokenScope = { installation: string } | { device: string }

/** Tokens with a lower epoch than this are refused. */
export type RevokedTokens = TokenScope & { tokenEpoch: number }

/**
 * Ends every token of an installation or of a device, by raising its epoch. Gates refuse them within a
 * second; devices that may still send fetch new ones with their secret.
 * Throws NotFoundError when there is no such installation or device.
 */
export async function revokeTokens(
  workspace: Workspace,
  scope: TokenScope,
): Promise<RevokedTokens> {
  return workspace.database.transaction(async (transaction) => {
    const [noun, subject, tokenEpoch] =
      'device' in scope
        ? (['device', scope.device, await raiseDeviceEpoch(transaction, scope.device)] as const)
        : ([
            'installation',
            scope.installation,
            await raiseInstallationEpoch(transaction, scope.installation),
          ] as const)
    if (tokenEpoch === undefined)
      throw noun === 'installation'
        ? unknownInstallation(subject)
        : await unknownDevices(transaction, [subject])
    await appendTrail(transaction, workspace.actor, {
      action: 'token.revoke',
      subject,
      details: { scope: noun, tokenEpoch },
    })
    return { ...scope, tokenEpoch }
  })
}
