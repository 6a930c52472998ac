/** The page a person opens for themselves: what they allowed, and taking it back. */
import { Router, type Request, type RequestHandler, type Response } from 'express'
import type { AuthorizationServer } from 'clientele'
import { currentPerson, type People } from './accounts.ts'
import { consentsOf, isInForce, scopeOf, withdrawConsent } from './consents.ts'
import { fieldOf, sessionForm, sessionToken } from '../sessions/forms.ts'
import { HttpError } from '../http-error.ts'
import { showLocalLogin } from './login-page.ts'
import { describeScope } from './scope-words.ts'
import { changeSession, takeNotice } from '../sessions/sessions.ts'
import { ownPage, sendPage } from '../views.ts'

interface AccountPagesOptions {
  /** Where the issuer is mounted. */
  readonly base: string
  readonly server: AuthorizationServer
  readonly people: People
  /** Names a client, for people. */
  readonly nameOf: (client_id: string) => string
  readonly withSession: RequestHandler
}

/** The page `/account` of an issuer. Signing in to it is `interactionPages()`' part, with its limits. */
export function accountPages(options: AccountPagesOptions): Router {
  const { base, withSession } = options
  const router = Router({ caseSensitive: true })
  router.use(`${base}/account`, withSession)
  router.get(`${base}/account`, (req, res) => showAccount(req, res, options))
  router.post(`${base}/account/revoke`, ...sessionForm(`${base}/account`), (req, res) => revoke(req, res, options))
  return router
}

/** The server does not know where the person is. */
const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' })

async function showAccount(req: Request, res: Response, { base, server, people, nameOf }: AccountPagesOptions): Promise<void> {
  const person = currentPerson(req, people)
  if (person === undefined) {
    showLocalLogin(req, res, base, { page: 'account' })
    return
  }
  const notice = await takeNotice(req)
  const allowed = await allowedBy(req, server, person.sub)
  const clients = allowed.map(({ client_id, scope, since }) => ({
    client_id,
    name: nameOf(client_id),
    scopes: scope.map(describeScope),
    since: new Date(since),
    day: day.format(since)
  }))
  clients.sort((a, b) => b.since.getTime() - a.since.getTime())
  sendPage(res, 'account', {
    base,
    title: 'Your account',
    wide: true,
    person: person.username,
    notice,
    clients,
    csrf: sessionToken(req)
  })
}

/** Ends everything the client holds of this person's and asks again next time, in this session and every other. */
async function revoke(req: Request, res: Response, { base, server, people, nameOf }: AccountPagesOptions): Promise<void> {
  const person = currentPerson(req, people)
  const client_id = fieldOf(req, 'client_id')
  if (person !== undefined) {
    if (client_id === undefined || client_id === '') throw new HttpError(400, 'Choose an application first.', [ownPage(base)])
    // what is not on the page cannot be taken back, and leaves nothing behind in the store
    if ((await allowedBy(req, server, person.sub)).some(allowed => allowed.client_id === client_id)) {
      // first the consent: nothing is given again, unasked, while the rest ends
      await withdrawConsent(req, person.sub, client_id)
      await server.revokeGrants(person.sub, client_id)
      const notice = `${nameOf(client_id)} no longer has access to your account.`
      await changeSession(req, session => ({ ...session, notice }))
    }
  }
  res.redirect(303, `${base}/account`)
}

/** Access of one client. `since` is in milliseconds since the epoch. */
interface Allowed {
  readonly client_id: string
  readonly scope: readonly string[]
  readonly since: number
}

/** Lists what clients hold of the person's, and what this session would give them again without asking. */
async function allowedBy(req: Request, server: AuthorizationServer, sub: string): Promise<Allowed[]> {
  const allowed = new Map<string, Allowed>()
  const add = (client_id: string, scope: readonly string[], since: number) => {
    const known = allowed.get(client_id)
    const all = [...new Set([...(known?.scope ?? []), ...scope])]
    allowed.set(client_id, { client_id, scope: all, since: Math.min(known?.since ?? since, since) })
  }
  for (const { client_id, scope, since } of await server.grants(sub)) add(client_id, scope, since * 1000)
  for (const [client_id, consent] of consentsOf(req))
    if (await isInForce(req, sub, client_id, consent)) add(client_id, scopeOf(consent), consent.since)
  return [...allowed.values()]
}
