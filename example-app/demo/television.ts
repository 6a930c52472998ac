/** The demo's device: a television without a keyboard, which shows a code and a picture of it, and waits. */
import { Router, type Request, type Response } from 'express'
import { z } from 'zod'
import { isLoopback } from '../config/clients.ts'
import { HttpError } from '../http-error.ts'
import { siteOf } from '../sessions/sessions.ts'
import { sendPage } from '../views.ts'
import { showTokens } from './browser-app.ts'

const client_id = 'demo-tv'

/** The cookie in which the television keeps what it was answered, while it waits. */
const cookie = 'television'

/** The part of a device authorization response that is kept (RFC 8628 §3.2). */
const waiting = z.object({
  device_code: z.string(),
  user_code: z.string(),
  verification_uri: z.url(),
  verification_uri_complete: z.url(),
  /** Seconds. */
  interval: z.int()
})

type Waiting = Readonly<z.infer<typeof waiting>>

/**
 * `/device`: asks for codes, and once the page was shown, each time it is loaded again, for tokens. Knows the server by
 * its addresses alone.
 */
export function televisionPages(issuer: string, base: string): Router {
  const router = Router({ caseSensitive: true })
  router.get('/device', async (req, res) => {
    const kept = siteOf(req).cookies.read(req, cookie)
    const television = kept === undefined ? undefined : waitingIn(kept)
    if (television === undefined) await begin(req, res, issuer, base)
    else await poll(req, res, issuer, base, television)
  })
  return router
}

/** Whatever a browser sends; undefined where it is none of ours. */
function waitingIn(kept: string): Waiting | undefined {
  try {
    return waiting.parse(JSON.parse(Buffer.from(kept, 'base64url').toString()))
  } catch {
    return undefined
  }
}

async function begin(req: Request, res: Response, issuer: string, base: string): Promise<void> {
  const form = { client_id, scope: 'openid profile offline_access api:read' }
  const answer = await fetch(`${issuer}/oauth2/device_authorization`, { method: 'POST', body: new URLSearchParams(form) })
  if (!answer.ok) throw new HttpError(400, 'This server authorizes no devices.')
  show(req, res, base, (await answer.json()) as Waiting)
}

async function poll(req: Request, res: Response, issuer: string, base: string, television: Waiting): Promise<void> {
  const { device_code, interval } = television
  const grant_type = 'urn:ietf:params:oauth:grant-type:device_code'
  const body = new URLSearchParams({ grant_type, client_id, device_code })
  const answer = await fetch(`${issuer}/oauth2/token`, { method: 'POST', body })
  const response = (await answer.json()) as { readonly error?: string }
  if (response.error === 'authorization_pending' || response.error === 'slow_down') {
    show(req, res, base, response.error === 'slow_down' ? { ...television, interval: interval + 5 } : television)
    return
  }
  siteOf(req).cookies.clear(res, cookie)
  showTokens(res, base, { ok: answer.ok, answer: response, again: `${base}/demo/device` })
}

function show(req: Request, res: Response, base: string, television: Waiting): void {
  siteOf(req).cookies.set(res, cookie, Buffer.from(JSON.stringify(television)).toString('base64url'))
  const onlyHere = isLoopback(new URL(television.verification_uri).hostname)
  sendPage(res, 'television', {
    base,
    title: 'Connect your television',
    refresh: television.interval + 1,
    onlyHere,
    ...television
  })
}
