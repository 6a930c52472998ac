/** The demo's public client: an application in two addresses, which signs a person in and shows what it got. */
import { createHash, randomBytes } from 'node:crypto'
import { Router, type Request } from 'express'
import { HttpError } from '../http-error.ts'
import { sendPage } from '../views.ts'

const client_id = 'demo-public'

/** `/` sends the person to sign in, `/callback` redeems the code. Needs a session; knows the server by its addresses alone. */
export function demoPages(issuer: string, base: string): Router {
  const redirect_uri = `${issuer}/demo/callback`
  const router = Router({ caseSensitive: true })
  router.get('/', (req, res) => {
    const state = randomBytes(16).toString('base64url')
    const verifier = randomBytes(32).toString('base64url')
    req.session.demo = { state, verifier }
    const query = new URLSearchParams({
      response_type: 'code',
      client_id,
      redirect_uri,
      scope: 'openid profile offline_access api:read',
      state,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256'
    })
    res.redirect(303, `${base}/oauth2/authorize?${query.toString()}`)
  })
  router.get('/callback', async (req, res) => {
    const { code, verifier } = readCallback(req, issuer)
    const answer = await fetch(`${issuer}/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'authorization_code', client_id, redirect_uri, code, code_verifier: verifier })
    })
    const response = JSON.stringify(await answer.json(), null, 2)
    sendPage(
      res,
      'demo',
      { base, title: answer.ok ? 'Here is your token' : 'No token', wide: true, response, again: `${base}/demo` },
      answer.ok ? 200 : 400
    )
  })
  return router
}

/** Checks what came back: to the browser that left, from the server it left to (RFC 9700 §4.4, RFC 9207). */
function readCallback(req: Request, issuer: string): { code: string; verifier: string } {
  const { code, state, iss, error } = req.query
  const begun = req.session.demo
  delete req.session.demo
  if (begun === undefined || state !== begun.state || iss !== issuer)
    throw new HttpError(400, 'This answer belongs to no sign-in of this browser.')
  if (typeof code !== 'string')
    throw new HttpError(400, `No code was issued: ${typeof error === 'string' ? error : 'unknown error'}.`)
  return { code, verifier: begun.verifier }
}
