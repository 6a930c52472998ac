/**
 * Sessions of people signed in with a browser, kept in the store everything else is kept in. A session begins when
 * somebody signs in and with nothing else: of visitors there is nothing to keep. Every change is kept before its
 * request is answered, because browsers follow a redirect before they have read all of it.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { Request, RequestHandler, Response } from 'express'
import { scopedStore, type Account, type Json, type Key, type Store, type StoredRecord } from 'clientele'
import { cookiesOf, type Cookies } from './cookies.ts'
import { withdrawals, type Withdrawals } from './withdrawals.ts'

export interface Session {
  /** The person who is signed in. */
  readonly account: Account
  /** The person's consents, by client_id. As pairs: a client may be called `__proto__`. */
  readonly consents?: readonly (readonly [client_id: string, consent: Consent])[] | undefined
  /** Said once, on the next page that shows what people decided. */
  readonly notice?: string | undefined
  /** The person's last decision, for whoever clicks twice. */
  readonly decided?: PersonDecision | undefined
}

export interface PersonDecision {
  /** Names what was decided about. */
  readonly what: string
  readonly allowed: boolean
  /** The client's name. */
  readonly client: string
}

/** Consent of a person to one client. `since` is in milliseconds since the epoch. */
export interface Consent {
  readonly since: number
  /** By resource; of what was for none in particular, by the empty string. */
  readonly scopes: readonly (readonly [resource: string, scope: readonly string[]])[]
}

/** Cookies, withdrawals, secret and store that the pages of one issuer share. */
interface Site {
  readonly cookies: Cookies
  readonly withdrawals: Withdrawals
  /** The key of what this issuer's forms and cookies prove, 32 bytes as base64url. */
  readonly secret: string
  readonly store: Store
}

interface Kept {
  readonly session: Session
  readonly version: StoredRecord['version']
}

interface Visit {
  readonly site: Site
  /** The session's id as the browser sent it, whether or not it means anything still. */
  id: string | undefined
  kept: Kept | undefined
}

/** Seconds a session lives after its last use. */
const sessionTtl = 12 * 3600
/** A session that is used is prolonged at most so often, in seconds. */
const prolongEvery = 600
/** Times a change is tried again where another request of the session was faster. */
const mostAttempts = 20

const cookie = 'session'
const visits = new WeakMap<Request, Visit>()

/**
 * Finds the session of every request of the issuer at `path`.
 *
 * @param secret outlives the process; so do sessions and forms then.
 */
export function sessions(store: Store, issuer: string, path: string, secret: string): RequestHandler {
  const own = scopedStore(store, issuer)
  const site: Site = { cookies: cookiesOf(issuer, path), withdrawals: withdrawals(own), secret, store: own }
  return async (req, _res, next) => {
    if (visits.get(req)?.site !== site) {
      const id = site.cookies.read(req, cookie)
      visits.set(req, { site, id, kept: id === undefined ? undefined : await find(own, id) })
    }
    next()
  }
}

/** Finds who is signed in with this browser, and what is kept of them; undefined where nobody is. */
export function sessionOf(req: Request): Session | undefined {
  return visitOf(req).kept?.session
}

/**
 * Finds the browser's session id, for forms only it may send. An ended one's, too: it names nobody, and nobody else.
 */
export function sessionIdOf(req: Request): string | undefined {
  return visitOf(req).id
}

export function siteOf(req: Request): Site {
  return visitOf(req).site
}

/**
 * Signs a person in under a new session id, so that an id planted before the login is worth nothing after it. Another
 * person's consents stay behind.
 */
export async function signIn(req: Request, res: Response, person: Account): Promise<Account> {
  const visit = visitOf(req)
  const { store, cookies } = visit.site
  // looked up again: what was signed out of while the password was judged leaves nothing behind
  const before = visit.kept === undefined || visit.id === undefined ? undefined : (await find(store, visit.id))?.session
  const goesOn = before?.account.sub === person.sub
  // clients know the session by a name of its own: it stays theirs while the person does
  const sid = (goesOn ? before.account.sid : undefined) ?? randomBytes(16).toString('base64url')
  const account: Account = { ...person, sid }
  const session: Session = { account, ...(goesOn && { consents: before.consents }) }
  const id = randomBytes(32).toString('base64url')
  if (!(await store.add(keyOf(id), jsonOf(session), sessionTtl))) throw new Error('a new session id was taken already')
  if (visit.id !== undefined && before !== undefined) await end(store, visit.id)
  visit.id = id
  visit.kept = await find(store, id)
  cookies.set(res, cookie, id)
  return account
}

/**
 * Changes what is kept of the session, and answers once it is kept. Where another request changed it meanwhile, the
 * change is made to what that left; where another ended it, there is nobody to change anything for: false, and this
 * request is signed out too.
 */
export async function changeSession(req: Request, change: (session: Session) => Session): Promise<boolean> {
  const visit = visitOf(req)
  const { store } = visit.site
  for (let attempt = 0; visit.kept !== undefined && visit.id !== undefined; attempt++) {
    if (attempt === mostAttempts) throw new Error('a session is changed by too many requests at once')
    const { session, version } = visit.kept
    const changed = await store.swap(keyOf(visit.id), version, jsonOf(change(session)), sessionTtl)
    visit.kept = await find(store, visit.id)
    if (changed) return visit.kept !== undefined
  }
  return false
}

/** Takes what is to be said once. */
export async function takeNotice(req: Request): Promise<string | undefined> {
  const notice = sessionOf(req)?.notice
  if (notice !== undefined) await changeSession(req, session => ({ ...session, notice: undefined }))
  return notice
}

/** Ends the session for every request that is under way, and for good: its id begins no other. */
export async function signOut(req: Request): Promise<void> {
  const visit = visitOf(req)
  if (visit.kept !== undefined && visit.id !== undefined) await end(visit.site.store, visit.id)
  visit.kept = undefined
}

/** Remainder of a session that was ended: whoever still holds its version can change nothing. */
const ended = 'ended'

function end(store: Store, id: string): Promise<void> {
  return store.set(keyOf(id), ended, sessionTtl)
}

/** The session of this id, which lives on from now. */
async function find(store: Store, id: string): Promise<Kept | undefined> {
  const record = await store.get(keyOf(id))
  if (record === undefined || record.value === ended) return undefined
  const { used_at, ...session } = record.value as unknown as Session & { readonly used_at: number }
  if (nowInSeconds() - used_at < prolongEvery) return { session, version: record.version }
  // of several requests at once any one does it; the others find what that one left
  await store.swap(keyOf(id), record.version, jsonOf(session), sessionTtl)
  return find(store, id)
}

function visitOf(req: Request): Visit {
  const visit = visits.get(req)
  if (visit === undefined) throw new Error('sessions() must come before whatever asks for them')
  return visit
}

function keyOf(id: string): Key {
  return { kind: 'session', id: createHash('sha256').update(id).digest('base64url') }
}

function jsonOf(session: Session): Json {
  return JSON.parse(JSON.stringify({ ...session, used_at: nowInSeconds() })) as Json
}

function nowInSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
