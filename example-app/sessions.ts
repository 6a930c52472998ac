/** Browser sessions of one issuer, kept in the store everything else is kept in. */
import { createHash } from 'node:crypto'
import { csrfSync } from 'csrf-sync'
import type { Request, RequestHandler } from 'express'
import session, { Store as SessionStore, type SessionData } from 'express-session'
import { scopedStore, type Account, type Json, type Store } from 'clientele'
import { mindWithdrawals, withdrawals } from './consents.ts'

declare module 'express-session' {
  interface SessionData {
    /** Who is signed in. */
    account?: Account
    /** The interactions this browser began; only it may finish them. */
    interactions?: string[]
    /** Said once, on the next page that shows what people decided. */
    notice?: string
    /** The demo's public client, waiting for its code. */
    demo?: { state: string; verifier: string }
  }
}

/** Seconds a session lives after its last use. */
const sessionTtl = 12 * 3600
/** Tabs a person may have open at once, in a manner of speaking; the oldest is forgotten first. */
const mostInteractions = 20

/**
 * Sessions of the issuer at `path`. The cookie is named after the issuer and limited to its path, so that issuers on one
 * host, or on other ports of it, never read one another's.
 *
 * @param secret signs the cookie; sessions outlive the process where it does.
 */
export function sessions(store: Store, issuer: string, path: string, secret: string): RequestHandler {
  const secure = issuer.startsWith('https:')
  const withdrawn = withdrawals(store, issuer)
  const withSession = session({
    name: `${secure ? '__Secure-' : ''}session-${createHash('sha256').update(issuer).digest('hex').slice(0, 8)}`,
    secret,
    store: new StoredSessions(scopedStore(store, issuer)),
    cookie: { path: path === '' ? '/' : path, httpOnly: true, sameSite: 'lax', secure },
    resave: false,
    saveUninitialized: false
  })
  return (req, res, next) => {
    mindWithdrawals(req, withdrawn)
    withSession(req, res, next)
  }
}

/** Forms carry a token of their session; a POST without it, or with another session's, is a 403 error. */
export const csrf = csrfSync({ size: 32, getTokenFromRequest: req => fieldOf(req, '_csrf') })

/** A form field sent exactly once, as text. */
export function fieldOf(req: Request, name: string): string | undefined {
  const value = (req.body as Record<string, unknown> | undefined)?.[name]
  return typeof value === 'string' ? value : undefined
}

/** Remembers that this browser began the interaction. */
export function beginInteraction(req: Request, id: string): void {
  const known = req.session.interactions ?? []
  if (!known.includes(id)) req.session.interactions = [...known, id].slice(-mostInteractions)
}

/** Whether this browser began the interaction. Anyone else who learnt its id may neither see nor finish it. */
export function ownsInteraction(req: Request, id: string): boolean {
  return req.session.interactions?.includes(id) === true
}

/**
 * Signs a person in under a new session id, so that an id planted before the login is worth nothing after it. Another
 * person's consents stay behind.
 */
export async function signIn(req: Request, account: Account): Promise<void> {
  const { interactions, consents, demo, television, account: previous } = req.session
  await new Promise<void>((resolve, reject) => {
    req.session.regenerate((error?: Error) =>
      error === undefined || (error as Error | null) === null ? resolve() : reject(error)
    )
  })
  req.session.account = account
  if (interactions !== undefined) req.session.interactions = interactions
  if (demo !== undefined) req.session.demo = demo
  if (television !== undefined) req.session.television = television
  if (consents !== undefined && previous?.sub === account.sub) req.session.consents = consents
}

/** Ends the session: whoever signs in next begins afresh. */
export async function signOut(req: Request): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    req.session.destroy((error?: Error) => (error === undefined || (error as Error | null) === null ? resolve() : reject(error)))
  })
}

type Done<T = undefined> = (error?: unknown, result?: T | null) => void

/** express-session on the library's store: JSON with a time to live, under a digest of the session id. */
class StoredSessions extends SessionStore {
  private readonly store: Store

  constructor(store: Store) {
    super()
    this.store = store
  }

  override get(sid: string, done: Done<SessionData>): void {
    this.store
      .get(keyOf(sid))
      .then(record => done(null, record === undefined ? null : (record.value as unknown as SessionData)), done)
  }

  override set(sid: string, data: SessionData, done: Done = ignore): void {
    this.store.set(keyOf(sid), jsonOf(data), sessionTtl).then(() => done(), done)
  }

  override destroy(sid: string, done: Done = ignore): void {
    this.store.delete(keyOf(sid)).then(() => done(), done)
  }

  /** Prolongs a session that was read and not changed, unless another request changed it meanwhile. */
  override touch(sid: string, _data: SessionData, done: Done = ignore): void {
    const touched = async () => {
      const record = await this.store.get(keyOf(sid))
      if (record !== undefined) await this.store.swap(keyOf(sid), record.version, record.value, sessionTtl)
    }
    touched().then(() => done(), done)
  }
}

function keyOf(sid: string): { kind: string; id: string } {
  return { kind: 'session', id: createHash('sha256').update(sid).digest('base64url') }
}

function jsonOf(data: SessionData): Json {
  return JSON.parse(JSON.stringify(data)) as Json
}

function ignore(): void {
  // express-session always hands over a callback; its types let one be left out
}
