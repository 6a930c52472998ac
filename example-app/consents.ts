/** What people agreed to: remembered within a session, for each client, until it is taken back in any. */
import { createHash } from 'node:crypto'
import type { Request } from 'express'
import { scopedStore, type Key, type Store } from 'clientele'

/** What a person agreed to for one client. `since` is in milliseconds since the epoch. */
export interface Consent {
  readonly scope: readonly string[]
  readonly since: number
}

declare module 'express-session' {
  interface SessionData {
    /** What the person agreed to, by client_id. */
    consents?: Record<string, Consent>
  }
}

/** When people took their consent back, kept where every session sees it. */
export interface Withdrawals {
  /** From now on no session's earlier consent to this client counts. */
  withdraw(sub: string, client_id: string): Promise<void>
  /** When it was last taken back, in milliseconds since the epoch; 0: never. */
  withdrawnAt(sub: string, client_id: string): Promise<number>
}

/** Longer than any session is kept alive. */
const year = 365 * 24 * 3600

/** The withdrawals of one issuer's people. */
export function withdrawals(store: Store, issuer: string): Withdrawals {
  const own = scopedStore(store, issuer)
  return {
    withdraw: (sub, client_id) => own.set(keyOf(sub, client_id), Date.now(), year),
    async withdrawnAt(sub, client_id) {
      const at = (await own.get(keyOf(sub, client_id)))?.value
      return typeof at === 'number' ? at : 0
    }
  }
}

const ofRequest = new WeakMap<Request, Withdrawals>()

/** Lets this request's consents be held against these withdrawals; `sessions()` does. */
export function mindWithdrawals(req: Request, withdrawn: Withdrawals): void {
  ofRequest.set(req, withdrawn)
}

/** Whether the person agreed, in this session, to all of `scope` for this client, and has not taken it back since in any. */
export async function hasConsented(req: Request, sub: string, client_id: string, scope: readonly string[]): Promise<boolean> {
  const agreed = consentsOf(req).get(client_id)
  if (agreed === undefined || !scope.every(value => agreed.scope.includes(value))) return false
  return agreed.since > (await withdrawalsOf(req).withdrawnAt(sub, client_id))
}

/** Remembers that the person agreed, beside what they agreed to before. */
export async function rememberConsent(req: Request, client_id: string, scope: readonly string[]): Promise<void> {
  const consents = consentsOf(req)
  const sub = req.session.account?.sub ?? ''
  const before = consents.get(client_id)
  const kept = before !== undefined && (await hasConsented(req, sub, client_id, before.scope)) ? before.scope : []
  consents.set(client_id, { scope: [...new Set([...kept, ...scope])], since: Date.now() })
  req.session.consents = Object.fromEntries(consents)
}

/** Takes back what the person agreed to for this client, in this session and every other. */
export async function withdrawConsent(req: Request, sub: string, client_id: string): Promise<void> {
  await withdrawalsOf(req).withdraw(sub, client_id)
  const consents = consentsOf(req)
  consents.delete(client_id)
  req.session.consents = Object.fromEntries(consents)
}

/** What the person agreed to in this session. As a map: a client may be called `__proto__`. */
export function consentsOf(req: Request): Map<string, Consent> {
  return new Map(Object.entries(req.session.consents ?? {}))
}

function withdrawalsOf(req: Request): Withdrawals {
  const known = ofRequest.get(req)
  if (known === undefined) throw new Error('sessions() must come before whatever asks for consents')
  return known
}

function keyOf(sub: string, client_id: string): Key {
  const id = createHash('sha256')
    .update(JSON.stringify([sub, client_id]))
    .digest('base64url')
  return { kind: 'consent_withdrawn', id }
}
