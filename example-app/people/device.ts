/** The page people type their device's code into (RFC 8628 §3.3), and decide on. */
import { Router, type Request, type RequestHandler, type Response } from 'express'
import QRCode from 'qrcode'
import { OAuthError, type Account, type AuthorizationServer, type DeviceAuthorization } from 'clientele'
import { currentAccount, type People } from './accounts.ts'
import { asksOf, decisionOf } from './asks.ts'
import { askerOf } from './client-words.ts'
import { decidedBefore, decideOnce } from './decisions.ts'
import { fieldOf, sessionForm, sessionToken } from '../sessions/forms.ts'
import { HttpError } from '../http-error.ts'
import { addressOf, userCodeFrom } from '../local-pages.ts'
import { networkLimit } from './login-limits.ts'
import { showLocalLogin } from './login-page.ts'
import type { PersonDecision } from '../sessions/sessions.ts'
import { sendPage } from '../views.ts'

interface DevicePage {
  readonly base: string
  readonly server: AuthorizationServer
  readonly people: People
}

/** The pages `/device` and `/device/qr.svg` of an issuer; the first needs sessions before it. */
export function devicePages(issuer: string, server: AuthorizationServer, people: People): Router {
  const base = new URL(issuer).pathname.replace(/\/$/, '')
  const page: DevicePage = { base, server, people }
  const router = Router({ caseSensitive: true })
  const limit = networkLimit('user_code', (req, res) => showForm(req, res, base, { message: tooMany }, 429))
  router.get('/device/qr.svg', qrCode(issuer))
  router.get('/device', limit, async (req, res) => {
    const account = currentAccount(req, people)
    const user_code = userCodeFrom(req.query['user_code'])
    if (account === undefined) showLocalLogin(req, res, base, { page: 'device', user_code })
    else if (user_code === undefined) showForm(req, res, base)
    else await answerCode(page, req, res, account, user_code)
  })
  router.post('/device', limit, ...sessionForm(`${base}/device`), async (req, res) => {
    const account = currentAccount(req, people)
    const user_code = userCodeFrom(fieldOf(req, 'user_code'))
    if (account === undefined) showLocalLogin(req, res, base, { page: 'device', user_code }, undefined, 401)
    else if (user_code === undefined) showForm(req, res, base, { message: 'Type the code first.' }, 400)
    else await answerCode(page, req, res, account, user_code)
  })
  return router
}

const tooMany = 'Too many wrong codes. Wait a quarter of an hour and try again.'
const wrong = 'This code is not right, or has expired or been used. Look at your device again.'

/** One step: what the device asks for, or what came of the person's decision. */
async function answerCode(page: DevicePage, req: Request, res: Response, account: Account, user_code: string): Promise<void> {
  const { base, server, people } = page
  const again = { user_code, message: wrong }
  try {
    const asked = await server.device.find(user_code, account)
    const deciding = req.method === 'POST' && fieldOf(req, 'decision') !== undefined
    const decided = deciding ? decidedBefore(req, whatOf(user_code)) : undefined
    if (asked === undefined && decided !== undefined) showDone(res, base, decided)
    else if (asked === undefined) showForm(req, res, base, again, 400)
    else if (!deciding) showRequest(req, res, base, asked, people.find(account.sub)?.username)
    else await decide(page, req, res, account, asked)
  } catch (error) {
    if (!(error instanceof OAuthError && error.status === 429)) throw error
    showForm(req, res, base, { message: tooMany }, 429)
  }
}

async function decide(
  { base, server }: DevicePage,
  req: Request,
  res: Response,
  account: Account,
  { user_code, client }: DeviceAuthorization
): Promise<void> {
  const allowed = decisionOf(req, addressOf(base, { page: 'device', user_code })) === 'allow'
  const decision = { what: whatOf(user_code), allowed, client: askerOf(client) }
  const decided = await decideOnce(req, decision, () =>
    allowed ? server.device.approve(user_code, account) : server.device.deny(user_code, account)
  )
  if (decided === undefined)
    throw new HttpError(400, 'This code was used or expired a moment ago. Start again on your device.', [
      { text: 'Type another code', href: `${base}/device` }
    ])
  showDone(res, base, decided)
}

/** Names a code among what people decide about. */
function whatOf(user_code: string): string {
  return `device ${user_code}`
}

function showDone(res: Response, base: string, { allowed, client }: PersonDecision): void {
  const title = allowed ? 'Your device is connected' : 'Nothing was connected'
  sendPage(res, 'device-done', { base, title, allowed, client })
}

interface CodeForm {
  readonly user_code?: string
  readonly message?: string
}

function showForm(req: Request, res: Response, base: string, form: CodeForm = {}, status = 200): void {
  const page = { base, title: 'Connect a device', csrf: sessionToken(req), user_code: '', message: undefined, ...form }
  sendPage(res, 'device', page, status)
}

function showRequest(req: Request, res: Response, base: string, asked: DeviceAuthorization, person?: string): void {
  const asks = asksOf(asked)
  sendPage(res, 'device-request', {
    base,
    title: `Connect ${asks.client}?`,
    ...asks,
    person,
    user_code: asked.user_code,
    csrf: sessionToken(req)
  })
}

/**
 * The address a phone opens, as a picture; of any code that looks like one, so that it tells nobody which there are.
 */
function qrCode(issuer: string): RequestHandler {
  return async (req, res) => {
    const { user_code } = req.query
    if (typeof user_code !== 'string' || !/^[A-Z]{4}-[A-Z]{4}$/.test(user_code))
      throw new HttpError(404, 'There is no such code.')
    const picture = await QRCode.toString(`${issuer}/device?user_code=${user_code}`, { type: 'svg', margin: 4 })
    res.set('Cache-Control', 'no-store').type('image/svg+xml').send(picture)
  }
}
