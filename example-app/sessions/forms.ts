/**
 * Proofs that a form comes from a page of ours, in the browser that page was shown in. Nothing is kept for them.
 * A form of an application's request belongs to that request and to nothing else of the browser, so that whatever
 * happens in other tabs it can still be sent; a form of a page of this server's own belongs to the session, or to the
 * browser while nobody is signed in.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { urlencoded, type Request, type RequestHandler, type Response } from 'express'
import type { Several } from './cookies.ts'
import { HttpError, openAgain, type Way } from '../http-error.ts'
import { sessionIdOf, siteOf } from './sessions.ts'

/** The requests a browser may have under way at once, each for as long as the library lets one wait. */
const begun: Several = { beginning: 'request-', most: 20, maxAge: 3600 }

/**
 * Remembers, in the browser, that it began this request: each in a cookie of its own, so that no tab takes away
 * another's.
 */
export function beginInteraction(req: Request, res: Response, id: string): void {
  siteOf(req).cookies.setOneOf(req, res, begun, digestOf(id), prove(req, 'interaction', id))
}

/** Whether this browser began the request. Anyone else who learnt its id may neither see nor finish it. */
export function ownsInteraction(req: Request, id: string): boolean {
  const value = siteOf(req).cookies.read(req, begun.beginning + digestOf(id))
  return value !== undefined && equal(value, prove(req, 'interaction', id))
}

/** The token of a form that goes on with a request this browser began, as this person; empty: as nobody yet. */
export function interactionToken(req: Request, id: string, sub = ''): string {
  const who = digestOf(sub)
  return `${who}.${prove(req, 'form', id, who)}`
}

/**
 * Tells whom a form of this request was shown to: `same`, or `other` where somebody else has signed in since.
 *
 * @throws HttpError 403 where it was not shown in this browser.
 */
export function checkInteractionForm(req: Request, id: string, sub: string, ways: readonly Way[]): 'same' | 'other' {
  const [who = '', proof = ''] = (fieldOf(req, '_csrf') ?? '').split('.')
  if (!ownsInteraction(req, id)) throw notOurs()
  if (!equal(proof, prove(req, 'form', id, who))) throw notOurs(ways)
  return who === digestOf(sub) ? 'same' : 'other'
}

/** The token of a form of a page of this server's own: the session's. */
export function sessionToken(req: Request): string {
  return prove(req, 'session', sessionIdOf(req) ?? '')
}

/** The token of the form that signs in to a page of this server's own: the browser's, which is given a name for it. */
export function browserToken(req: Request, res: Response): string {
  const { cookies } = siteOf(req)
  const known = cookies.read(req, browser)
  const name = known ?? randomBytes(16).toString('base64url')
  if (known === undefined) cookies.set(res, browser, name)
  return prove(req, 'browser', name)
}

/** @throws HttpError 403 where the form that signs in was not shown in this browser. */
export function checkBrowserForm(req: Request, ways?: readonly Way[]): void {
  const name = siteOf(req).cookies.read(req, browser)
  if (name === undefined || !equal(fieldOf(req, '_csrf') ?? '', prove(req, 'browser', name))) throw notOurs(ways)
}

/** A form field sent exactly once, as text. */
export function fieldOf(req: Request, name: string): string | undefined {
  const value = (req.body as Record<string, unknown> | undefined)?.[name]
  return typeof value === 'string' ? value : undefined
}

/** Reads a form. */
export const readForm: RequestHandler = urlencoded({ extended: false, limit: '16kb', parameterLimit: 20 })

/**
 * Reads a form of the session's, or the browser's while nobody is signed in; any other is a 403 that leads to the page.
 */
export function sessionForm(page: string): RequestHandler[] {
  const ways = openAgain(page)
  const check: RequestHandler = (req, _res, next) => {
    const id = sessionIdOf(req)
    if (id === undefined) checkBrowserForm(req, ways)
    else if (!equal(fieldOf(req, '_csrf') ?? '', prove(req, 'session', id))) throw notOurs(ways)
    next()
  }
  return [readForm, check]
}

function notOurs(ways?: readonly Way[]): HttpError {
  return new HttpError(403, 'This form belongs to another session, or its session has ended.', ways)
}

/** The cookie that names a browser nobody has signed in with. */
const browser = 'browser'

function digestOf(value: string): string {
  return createHash('sha256').update(value).digest('base64url').slice(0, 16)
}

/** Makes a proof of these values that only this server can make. */
function prove(req: Request, ...values: readonly string[]): string {
  return createHmac('sha256', siteOf(req).secret).update(JSON.stringify(values)).digest('base64url')
}

function equal(given: string, right: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}
