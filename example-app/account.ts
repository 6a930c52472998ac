/** The pages a person opens for themselves: what they allowed, taking it back, and signing out. */
import { Router, urlencoded, type Request, type Response } from 'express'
import type { Store } from 'clientele'
import { people, type People } from './accounts.ts'
import type { IssuerSettings } from './config-schema.ts'
import { HttpError } from './http-error.ts'
import { currentAccount, showLogin } from './interactions.ts'
import { describeScope } from './scope-words.ts'
import { consentsOf, csrf, fieldOf, forgetConsent, hasConsented, permissionsOf, sessions, signOut } from './sessions.ts'
import { sendPage } from './views.ts'

/** The pages `/account` and `/logout` of an issuer. Signing in to them is `interactionPages()`' part, with its limits. */
export function accountPages(store: Store, issuer: string, settings: IssuerSettings, cookieSecret: string): Router {
  const base = new URL(issuer).pathname.replace(/\/$/, '')
  const persons = people(settings.accounts)
  const names = new Map(settings.clients.map(({ client_id, client_name }) => [client_id, client_name]))
  const nameOf = (client_id: string) => names.get(client_id) ?? client_id
  const form = [urlencoded({ extended: false, limit: '16kb', parameterLimit: 20 }), csrf.csrfSynchronisedProtection]
  const router = Router({ caseSensitive: true })
  router.use([`${base}/account`, `${base}/logout`], sessions(store, issuer, base, cookieSecret))
  router.get(`${base}/account`, (req, res) => showAccount(req, res, base, persons, nameOf))
  router.post(`${base}/account/revoke`, ...form, (req, res) => revoke(req, res, base, persons, nameOf))
  router.get(`${base}/logout`, (req, res) => {
    const person = personOf(req, persons)
    const title = person === undefined ? 'You are signed out' : 'Sign out?'
    const token = person === undefined ? undefined : csrf.generateToken(req)
    sendPage(res, 'logout', { base, title, person: person?.username, csrf: token })
  })
  router.post(`${base}/logout`, ...form, async (req, res) => {
    await signOut(req)
    res.redirect(303, `${base}/logout`)
  })
  return router
}

/** The server does not know where the person is. */
const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' })

type NameOf = (client_id: string) => string

async function showAccount(req: Request, res: Response, base: string, persons: People, nameOf: NameOf): Promise<void> {
  const person = personOf(req, persons)
  if (person === undefined) {
    showLogin(req, res, base, undefined, { username: '' })
    return
  }
  const { notice } = req.session
  delete req.session.notice
  const allowed = await allowedBy(req, person.sub)
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
    csrf: csrf.generateToken(req)
  })
}

/** Ends everything the client holds of this person's and asks again next time, in this session and every other. */
async function revoke(req: Request, res: Response, base: string, persons: People, nameOf: NameOf): Promise<void> {
  const person = personOf(req, persons)
  const client_id = fieldOf(req, 'client_id')
  if (person !== undefined) {
    if (client_id === undefined || client_id === '') throw new HttpError(400, 'Choose an application first.')
    // what is not on the page cannot be taken back, and leaves nothing behind in the store
    if ((await allowedBy(req, person.sub)).some(allowed => allowed.client_id === client_id)) {
      await permissionsOf(req).revoke(person.sub, client_id)
      forgetConsent(req, client_id)
      req.session.notice = `${nameOf(client_id)} no longer has access to your account.`
    }
  }
  res.redirect(303, `${base}/account`)
}

interface Allowed {
  readonly client_id: string
  readonly scope: readonly string[]
  readonly since: number
}

/** What clients hold of the person's, and what this session would give them again without asking. */
async function allowedBy(req: Request, sub: string): Promise<Allowed[]> {
  const held = await permissionsOf(req).list(sub)
  const allowed = new Map<string, Allowed>(held.map(permission => [permission.client_id, permission]))
  for (const [client_id, { scope, since }] of consentsOf(req)) {
    if (!(await hasConsented(req, sub, client_id, scope))) continue
    const known = allowed.get(client_id)
    allowed.set(client_id, {
      client_id,
      scope: [...new Set([...(known?.scope ?? []), ...scope])],
      since: Math.min(known?.since ?? since, since)
    })
  }
  return [...allowed.values()]
}

function personOf(req: Request, persons: People): ReturnType<People['find']> {
  const account = currentAccount(req, persons)
  return account === undefined ? undefined : persons.find(account.sub)
}
