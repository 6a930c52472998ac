/** Consents of people: remembered within a session, for each client and resource, until taken back in any. */
import type { Request } from 'express'
import { changeSession, sessionOf, siteOf, type Consent } from '../sessions/sessions.ts'

interface Asked {
  readonly client_id: string
  readonly scope: readonly string[]
  readonly resources: readonly string[]
}

/** Scope values that are about the person and no resource's: agreed to once for whatever the client asks. */
const aboutPeople = new Set(['openid', 'profile', 'email', 'address', 'phone', 'offline_access'])

/** Whether the person agreed, in this session, to all of this, and has not taken it back since in any. */
export async function hasConsented(req: Request, sub: string, { client_id, scope, resources }: Asked): Promise<boolean> {
  const consent = consentsOf(req).get(client_id)
  if (consent === undefined || !targetsOf(resources).every(target => covers(consent, target, scope))) return false
  return isInForce(req, sub, client_id, consent)
}

/** Whether nothing of a client's was taken back since. */
export async function isInForce(req: Request, sub: string, client_id: string, { since }: Consent): Promise<boolean> {
  return since > (await siteOf(req).withdrawals.withdrawnAt(sub, client_id))
}

/** Remembers that the person agreed, beside what they agreed to before. False where the session has ended meanwhile. */
export async function rememberConsent(req: Request, { client_id, scope, resources }: Asked): Promise<boolean> {
  const sub = sessionOf(req)?.account.sub ?? ''
  const withdrawnAt = await siteOf(req).withdrawals.withdrawnAt(sub, client_id)
  return changeSession(req, session => {
    const consents = new Map(session.consents)
    const before = consents.get(client_id)
    const scopes = new Map(before !== undefined && before.since > withdrawnAt ? before.scopes : [])
    for (const target of targetsOf(resources)) scopes.set(target, [...new Set([...(scopes.get(target) ?? []), ...scope])])
    consents.set(client_id, { since: Date.now(), scopes: [...scopes] })
    return { ...session, consents: [...consents] }
  })
}

/** Takes back what the person agreed to for this client, in this session and every other. */
export async function withdrawConsent(req: Request, sub: string, client_id: string): Promise<void> {
  await siteOf(req).withdrawals.withdraw(sub, client_id)
  await changeSession(req, session => ({
    ...session,
    consents: session.consents?.filter(([known]) => known !== client_id)
  }))
}

/** Finds what the person agreed to in this session, by client_id; other sessions may have taken it back. */
export function consentsOf(req: Request): ReadonlyMap<string, Consent> {
  return new Map(sessionOf(req)?.consents)
}

/** Everything a consent is about, for whichever resource. */
export function scopeOf({ scopes }: Consent): readonly string[] {
  return [...new Set(scopes.flatMap(([, scope]) => scope))]
}

function targetsOf(resources: readonly string[]): readonly string[] {
  return resources.length === 0 ? [''] : resources
}

function covers(consent: Consent, target: string, scope: readonly string[]): boolean {
  const agreed = new Map(consent.scopes).get(target) ?? []
  const anywhere = scopeOf(consent)
  // a resource that was never agreed to is asked about, whatever the scope
  if (target !== '' && agreed.length === 0) return false
  return scope.every(value => agreed.includes(value) || (aboutPeople.has(value) && anywhere.includes(value)))
}
