/** What people meet between a client's authorization request and its answer: signing in and agreeing. */
import { Router, urlencoded, type Request, type Response } from 'express'
import type { Account, AuthorizationServer, AuthorizationServerOptions, InteractionPrompt } from 'clientele'
import type { People } from './accounts.ts'
import { hasConsented, rememberConsent } from './consents.ts'
import { HttpError } from './http-error.ts'
import { addressOf, localPageOf, purposeOf, type LocalPage } from './local-pages.ts'
import { loginLimits } from './login-limits.ts'
import { describeResource, describeScope } from './scope-words.ts'
import { beginInteraction, csrf, fieldOf, ownsInteraction, signIn } from './sessions.ts'
import { sendPage } from './views.ts'

/** What signing in with a password is called in `acr` (OASIS SAML 2.0 Authentication Context, §3.4.10). */
export const passwordLogin = 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport'

/** The library's questions, answered from this browser's session. */

export function interactionHooks(base: string, people: People): AuthorizationServerOptions['interaction'] {
  return {
    account: req => currentAccount(req, people),
    consented: (req, { client, sub, scope }) => hasConsented(req, sub, client.client_id, scope),
    prompt(req, res, prompt) {
      beginInteraction(req, prompt.id)
      res.redirect(303, pageOf(base, prompt))
    },
    error(_req, res, { error, error_description }) {
      const message = `The application sent you here with a request that cannot be answered: ${error_description}.`
      sendPage(res, 'error', { base, title: 'That did not work', message, code: error }, res.statusCode)
    }
  }
}

/** The pages `/login` and `/consent` of the issuer mounted at `base`; needs sessions before it. */
export function interactionPages(base: string, server: AuthorizationServer, people: People): Router {
  const router = Router({ caseSensitive: true })
  const form = [urlencoded({ extended: false, limit: '16kb', parameterLimit: 20 }), csrf.csrfSynchronisedProtection]
  router.get('/login', async (req, res) => {
    const prompt = await promptOf(req, server, queryInteraction(req))
    if (prompt.name !== 'login') res.redirect(303, pageOf(base, prompt))
    else showLogin(req, res, base, prompt, { username: prompt.login_hint ?? '' })
  })
  router.post('/login', ...form, ...loginLimits((req, res) => refuseLogin(req, res, server, base)), async (req, res) => {
    await login(req, res, server, base, people)
  })
  router.get('/consent', async (req, res) => {
    const prompt = await promptOf(req, server, queryInteraction(req))
    if (prompt.name !== 'consent') res.redirect(303, pageOf(base, prompt))
    else showConsent(req, res, base, prompt, people)
  })
  router.post('/consent', ...form, async (req, res) => {
    await decide(req, res, server)
  })
  return router
}

/** Who is signed in, unless the account was removed meanwhile. */
export function currentAccount(req: Request, people: People): Account | undefined {
  const account = req.session.account
  return account !== undefined && people.find(account.sub) !== undefined ? account : undefined
}

async function login(req: Request, res: Response, server: AuthorizationServer, base: string, people: People): Promise<void> {
  const goal = await goalOf(req, server)
  if ('name' in goal && goal.name !== 'login') {
    res.redirect(303, pageOf(base, goal))
    return
  }
  const username = fieldOf(req, 'username') ?? ''
  const person = people.verify(username, fieldOf(req, 'password') ?? '')
  if (person === undefined) {
    showLogin(req, res, base, goal, { username, message: 'That username and password do not match.' }, 401)
    return
  }
  const account: Account = { sub: person.sub, auth_time: Math.floor(Date.now() / 1000), acr: passwordLogin, amr: ['pwd'] }
  await signIn(req, account)
  if ('page' in goal) res.redirect(303, addressOf(base, goal))
  else await server.resume(req, res, goal.id, { login: account })
}

/** What a person signs in for: an application's request, or a page of this server's own. */
type Goal = InteractionPrompt | LocalPage

async function goalOf(req: Request, server: AuthorizationServer): Promise<Goal> {
  return localPageOf(req) ?? (await promptOf(req, server, fieldOf(req, 'interaction')))
}

async function decide(req: Request, res: Response, server: AuthorizationServer): Promise<void> {
  const prompt = await promptOf(req, server, fieldOf(req, 'interaction'))
  if (prompt.name !== 'consent') throw new HttpError(400, 'There is nothing to agree to yet.')
  const decision = fieldOf(req, 'decision')
  if (decision === 'allow') {
    await rememberConsent(req, prompt.client.client_id, prompt.scope)
    await server.resume(req, res, prompt.id, { consent: true })
  } else if (decision === 'deny') {
    await server.resume(req, res, prompt.id, { error: 'access_denied' })
  } else {
    throw new HttpError(400, 'Choose whether to allow or to deny.')
  }
}

/** The interaction of this id, if this browser began it and it still waits for a person. */
async function promptOf(req: Request, server: AuthorizationServer, id: string | undefined): Promise<InteractionPrompt> {
  if (id === undefined || id === '') throw new HttpError(400, 'This page is opened by an application that asks you to sign in.')
  if (!ownsInteraction(req, id))
    throw new HttpError(403, 'This sign-in was not started in this browser. Go back to the application and start again.')
  const prompt = await server.interaction(req, id)
  if (prompt === undefined)
    throw new HttpError(400, 'This sign-in has expired or is finished. Go back to the application and start again.')
  return prompt
}

function queryInteraction(req: Request): string | undefined {
  const { interaction } = req.query
  return typeof interaction === 'string' ? interaction : undefined
}

function pageOf(base: string, prompt: InteractionPrompt): string {
  return `${base}/${prompt.name}?interaction=${encodeURIComponent(prompt.id)}`
}

interface LoginForm {
  readonly username: string
  readonly message?: string
}

export function showLogin(req: Request, res: Response, base: string, goal: Goal, form: LoginForm, status = 200): void {
  const page = {
    base,
    title: 'Sign in',
    ...('page' in goal
      ? { purpose: purposeOf(goal), page: goal.page, user_code: goal.user_code }
      : { client: nameOf(goal), interaction: goal.id }),
    csrf: csrf.generateToken(req),
    message: undefined,
    ...form
  }
  sendPage(res, 'login', page, status)
}

function showConsent(req: Request, res: Response, base: string, prompt: InteractionPrompt, people: People): void {
  const account = currentAccount(req, people)
  const person = account === undefined ? undefined : people.find(account.sub)
  sendPage(res, 'consent', {
    base,
    title: `Allow ${nameOf(prompt)}?`,
    client: nameOf(prompt),
    person: person?.username,
    scopes: prompt.scope.map(describeScope),
    claims: prompt.claims.map(claim => claim.replaceAll('_', ' ')),
    details: prompt.authorization_details.map(({ type, ...rest }) => ({ type, text: JSON.stringify(rest, null, 2) })),
    resources: prompt.resources.map(describeResource),
    links: linksOf(prompt),
    interaction: prompt.id,
    csrf: csrf.generateToken(req)
  })
}

/** What the client says of itself, on pages of its own. Only addresses of pages become links. */
function linksOf({ client }: InteractionPrompt): readonly { readonly text: string; readonly href: string }[] {
  const { client_uri, policy_uri, tos_uri } = client
  const links = [
    { text: 'Its home page', href: client_uri },
    { text: 'Its privacy policy', href: policy_uri },
    { text: 'Its terms of service', href: tos_uri }
  ]
  return links.flatMap(({ text, href }) =>
    href !== undefined && URL.canParse(href) && /^https?:$/.test(new URL(href).protocol) ? [{ text, href }] : []
  )
}

function nameOf({ client }: InteractionPrompt): string {
  return client.client_name ?? client.client_id
}

function refuseLogin(req: Request, res: Response, server: AuthorizationServer, base: string): Promise<void> {
  return goalOf(req, server).then(goal => {
    const form = {
      username: fieldOf(req, 'username') ?? '',
      message: 'Too many attempts. Wait a quarter of an hour and try again.'
    }
    showLogin(req, res, base, goal, form, 429)
  })
}
