/** The page people type their device's code into (RFC 8628 §3.3), and decide on. */
import { Router, urlencoded, type Request, type RequestHandler, type Response } from 'express'
import QRCode from 'qrcode'
import { OAuthError, type Account, type AuthorizationServer, type DeviceAuthorization } from 'clientele'
import type { People } from './accounts.ts'
import { asksOf, decisionOf } from './asks.ts'
import { HttpError } from './http-error.ts'
import { currentAccount, showLogin } from './interactions.ts'
import { userCodeFrom } from './local-pages.ts'
import { networkLimit } from './login-limits.ts'
import { csrf, fieldOf } from './sessions.ts'
import { sendPage } from './views.ts'

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
  const form = [urlencoded({ extended: false, limit: '16kb', parameterLimit: 20 }), csrf.csrfSynchronisedProtection]
  const limit = networkLimit('user_code', (req, res) => showForm(req, res, base, { message: tooMany }, 429))
  router.get('/device/qr.svg', qrCode(issuer))
  router.get('/device', limit, async (req, res) => {
    const account = currentAccount(req, people)
    const user_code = userCodeFrom(req.query['user_code'])
    if (account === undefined) showLogin(req, res, base, { page: 'device', user_code }, { username: '' })
    else if (user_code === undefined) showForm(req, res, base)
    else await answerCode(page, req, res, account, user_code)
  })
  router.post('/device', limit, ...form, async (req, res) => {
    const account = currentAccount(req, people)
    const user_code = userCodeFrom(fieldOf(req, 'user_code'))
    if (account === undefined) showLogin(req, res, base, { page: 'device', user_code }, { username: '' }, 401)
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
    if (asked === undefined) showForm(req, res, base, again, 400)
    else if (req.method === 'GET' || fieldOf(req, 'decision') === undefined)
      showRequest(req, res, base, asked, people.find(account.sub)?.username)
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
  const allowed = decisionOf(req) === 'allow'
  const decided = allowed ? await server.device.approve(user_code, account) : await server.device.deny(user_code, account)
  if (!decided) throw new HttpError(400, 'This code was used or expired a moment ago. Start again on your device.')
  const title = allowed ? 'Your device is connected' : 'Nothing was connected'
  sendPage(res, 'device-done', { base, title, allowed, client: client.client_name ?? client.client_id })
}

interface CodeForm {
  readonly user_code?: string
  readonly message?: string
}

function showForm(req: Request, res: Response, base: string, form: CodeForm = {}, status = 200): void {
  const page = { base, title: 'Connect a device', csrf: csrf.generateToken(req), user_code: '', message: undefined, ...form }
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
    csrf: csrf.generateToken(req)
  })
}

/** The address a phone opens, as a picture; of any code that looks like one, so that it tells nobody which there are. */
function qrCode(issuer: string): RequestHandler {
  return async (req, res) => {
    const { user_code } = req.query
    if (typeof user_code !== 'string' || !/^[A-Z]{4}-[A-Z]{4}$/.test(user_code))
      throw new HttpError(404, 'There is no such code.')
    const picture = await QRCode.toString(`${issuer}/device?user_code=${user_code}`, { type: 'svg', margin: 4 })
    res.set('Cache-Control', 'no-store').type('image/svg+xml').send(picture)
  }
}
