import { lockOwner } from '../api-key/store.js'
import type { Transaction } from '../database/database.js'
import { selectRouter, type RouterRow } from './store.js'
import { unknownRouter } from './types.js'

/** The router of an installation; nobody else changes it until the transaction ends. Throws NotFoundError. */
export async function lockRouter(
  transaction: Transaction,
  installation: string,
): Promise<RouterRow> {
  const owner = await lockOwner(transaction, installation)
  const router = owner && (await selectRouter(transaction, installation))
  if (router === undefined) throw unknownRouter(installation)
  return router
}
