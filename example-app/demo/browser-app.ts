/** The demo's public clients: an application in a few addresses, which signs a person in and shows what it got. */
import { createHash, randomBytes } from 'node:crypto'
import { Router, type Request, type Response } from 'express'
import type { Several } from '../sessions/cookies.ts'
import { HttpError } from '../http-error.ts'
import { siteOf } from '../sessions/sessions.ts'
import { sendPage } from '../views.ts'

/** The sign-ins a browser may have under way, by `state`; each keeps which client it is for, and its PKCE verifier. */
const begun: Several = { beginning: 'demo-', most: 10, maxAge: 3600 }

interface DemoPagesOptions {
  readonly issuer: string
  /** Where the issuer is mounted. */
  readonly base: string
  /** The client that has a document: its address. Undefined: there is none. */
  readonly app: string | undefined
}

/**
 * `/` sends the person to sign in for the client that is registered, `/document` for the one that has a document;
 * `/callback` redeems the code. Knows the server by its addresses alone.
 */
export function demoPages({ issuer, base, app }: DemoPagesOptions): Router {
  const clients: Readonly<Record<string, string>> = { registered: 'demo-public', ...(app !== undefined && { document: app }) }
  const redirect_uri = `${issuer}/demo/callback`
  const router = Router({ caseSensitive: true })
  const begin = (which: string) => (req: Request, res: Response) => {
    const state = randomBytes(16).toString('base64url')
    const verifier = randomBytes(32).toString('base64url')
    siteOf(req).cookies.setOneOf(req, res, begun, state, `${which}.${verifier}`)
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: clients[which] ?? '',
      redirect_uri,
      scope: 'openid profile offline_access api:read',
      state,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256'
    })
    res.redirect(303, `${base}/oauth2/authorize?${query.toString()}`)
  }
  router.get('/', begin('registered'))
  if (app !== undefined) router.get('/document', begin('document'))
  router.get('/callback', async (req, res) => {
    const { code, which, verifier } = readCallback(req, res, issuer)
    const client_id = clients[which] ?? ''
    const again = `${base}/demo${which === 'document' ? '/document' : ''}`
    const answer = await fetch(`${issuer}/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'authorization_code', client_id, redirect_uri, code, code_verifier: verifier })
    })
    showTokens(res, base, { ok: answer.ok, answer: await answer.json(), again })
  })
  return router
}

/** Shows what the token endpoint answered, whether or not there are tokens in it. */
export function showTokens(
  res: Response,
  base: string,
  { ok, answer, again }: { readonly ok: boolean; readonly answer: unknown; readonly again: string }
): void {
  const page = {
    base,
    title: ok ? 'Here is your token' : 'No token',
    wide: true,
    response: JSON.stringify(answer, null, 2),
    again
  }
  sendPage(res, 'demo', page, ok ? 200 : 400)
}

/** Checks what came back: to the browser that left, from the server it left to (RFC 9700 §4.4, RFC 9207). */
function readCallback(req: Request, res: Response, issuer: string): { code: string; which: string; verifier: string } {
  const { code, state, iss, error } = req.query
  const name = begun.beginning + (typeof state === 'string' ? state : '')
  const { cookies } = siteOf(req)
  const kept = cookies.read(req, name)
  const ways = [{ text: 'Once more', href: `${issuer}/demo` }]
  if (kept === undefined || iss !== issuer) throw new HttpError(400, 'This answer belongs to no sign-in of this browser.', ways)
  cookies.clear(res, name)
  if (typeof code !== 'string')
    throw new HttpError(400, `No code was issued: ${typeof error === 'string' ? error : 'unknown error'}.`, ways)
  const [which = '', verifier = ''] = kept.split('.')
  return { code, which, verifier }
}
