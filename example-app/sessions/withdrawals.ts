/** When people took their consent back, kept where every session sees it. */
import { createHash } from 'node:crypto'
import type { Key, Store } from 'clientele'

export interface Withdrawals {
  /** From now on no session's earlier consent to this client counts. */
  withdraw(sub: string, client_id: string): Promise<void>
  /** When it was last taken back, in milliseconds since the epoch; 0: never. */
  withdrawnAt(sub: string, client_id: string): Promise<number>
}

/** Longer than any session is kept alive. */
const year = 365 * 24 * 3600

/** The withdrawals of one issuer's people, in that issuer's part of the store. */
export function withdrawals(store: Store): Withdrawals {
  return {
    withdraw: (sub, client_id) => store.set(keyOf(sub, client_id), Date.now(), year),
    async withdrawnAt(sub, client_id) {
      const at = (await store.get(keyOf(sub, client_id)))?.value
      return typeof at === 'number' ? at : 0
    }
  }
}

function keyOf(sub: string, client_id: string): Key {
  const id = createHash('sha256')
    .update(JSON.stringify([sub, client_id]))
    .digest('base64url')
  return { kind: 'consent_withdrawn', id }
}
