/** The two addresses of the built-in sign-in: where the provider sends people back to, and the consent page. */
import type { Request, RequestHandler, Response } from 'express'
import type { AuthorizationServer } from '../authorization-server/authorization-server.ts'
import type { Account } from '../authorization-requests/account.ts'
import { OAuthError } from '../errors.ts'
import { tellError, toOAuthError } from '../http/error-handler.ts'
import { readParameters } from '../http/parameters.ts'
import { pathOf, queryStringOf } from '../http/request-target.ts'
import { handedOut } from './kept-tokens.ts'
import type { ConsentPage, UpstreamAccount, UpstreamClaims } from './options.ts'
import { sendConsentPage, sendProblem } from './pages.ts'
import type { CarriedSignIn, SignInParts } from './parts.ts'
import { RefusedUpstreamError, type KeptTokens } from './provider.ts'

/** Everything one request to these addresses is answered with. */
interface Exchange {
  readonly parts: SignInParts
  readonly server: AuthorizationServer
  readonly req: Request
  readonly res: Response
}

/** Answers its own addresses, and passes every other request on. */
export function signInRoutes(parts: SignInParts, server: AuthorizationServer): RequestHandler {
  const paths = new Map(
    [
      { address: parts.addresses.signIn, answers: { GET: comeBack } },
      { address: parts.addresses.consent, answers: { GET: showConsent, POST: takeConsent } }
    ].map(({ address, answers }) => [new URL(address).pathname, new Map(Object.entries(answers))])
  )
  return (req, res, next) => {
    const answers = paths.get(pathOf(req))
    if (answers === undefined) {
      next()
      return
    }
    const answer = answers.get(req.method)
    if (answer === undefined) {
      res.set('Allow', [...answers.keys()].join(', '))
      sendProblem(res, 405, 'This address is for your browser alone.')
      return
    }
    answer({ parts, server, req, res }).catch((error: unknown) => {
      tellError(parts.onError, error, req)
      if (res.headersSent) res.destroy()
      else sendProblem(res, statusOf(error), 'The sign-in did not come to its end.')
    })
  }
}

const elsewhere = 'This sign-in was begun in another browser, or too long ago.'

function statusOf(error: unknown): number {
  // whatever else openid-client says, it says of an answer that was not right
  return error instanceof OAuthError || !(error instanceof Error) ? toOAuthError(error).status : 502
}

/** The person is back from the provider. */
async function comeBack({ parts, server, req, res }: Exchange): Promise<void> {
  const { sessions, provider, addresses } = parts
  const answer = new URL(`${addresses.signIn}?${queryStringOf(req)}`)
  const underWay = parts.readState(answer.searchParams.get('state') ?? '', sessions.knownBrowser(req))
  if (underWay === undefined) {
    sendProblem(res, 400, elsewhere)
    return
  }
  const { interaction } = underWay
  let found: Awaited<ReturnType<typeof provider.finish>>
  try {
    found = await provider.finish(answer, underWay)
  } catch (error) {
    const refused = error instanceof RefusedUpstreamError
    // the same answer again, as going back brings it: whoever is signed in by now goes on
    const isSignedIn = !refused && (await sessions.find(req)) !== undefined
    if (!refused && !isSignedIn) throw error
    await server.resume(req, res, interaction, refused ? { error: 'access_denied' } : undefined)
    return
  }
  const account = await signIn({ parts, server, req, res }, underWay, found)
  await server.resume(req, res, interaction, account === undefined ? { error: 'access_denied' } : { login: account })
}

/** Begins a session; undefined for somebody who is nobody here. */
async function signIn(
  { parts, req, res }: Exchange,
  { max_age }: CarriedSignIn,
  { claims, tokens }: { readonly claims: UpstreamClaims; readonly tokens: KeptTokens }
): Promise<Account | undefined> {
  const { options, sessions, keeper, clock } = parts
  const now = Math.floor(clock() / 1000)
  const { auth_time: told, acr, amr } = claims
  const auth_time = typeof told === 'number' ? Math.min(told, now) : now
  if (max_age !== undefined && now - auth_time > max_age + tolerance)
    throw new OAuthError('login_required', 400, 'the sign-in is older than was asked for')
  const found = await (options.accountFrom ?? accountOf)(claims, handedOut(tokens))
  if (found === undefined || found === null) return undefined
  const { sub, name } = checked(found)
  const account: Account = {
    sub,
    auth_time,
    sid: sessions.newSid(),
    ...(typeof acr === 'string' && { acr }),
    ...(Array.isArray(amr) && amr.every(one => typeof one === 'string') && { amr })
  }
  if (options.keepTokens) await keeper.keep(sub, tokens)
  await sessions.begin(req, res, account, name ?? sub)
  return account
}

/** Seconds two clocks may differ. */
const tolerance = 60

function accountOf({ sub, ...claims }: UpstreamClaims): UpstreamAccount {
  const name = ['name', 'preferred_username', 'email']
    .map(claim => claims[claim])
    .find(one => typeof one === 'string' && one !== '')
  return { sub, name: name as string | undefined }
}

function checked(account: UpstreamAccount): UpstreamAccount {
  const { sub, name }: { readonly sub: unknown; readonly name?: unknown } = account
  if (typeof sub !== 'string' || sub === '')
    throw new TypeError('accountFrom must answer with an object with a sub, or undefined')
  return { sub, ...(typeof name === 'string' && name !== '' && { name }) }
}

/** The interaction that a page, and the form on it, are for, and the proof that they are. */
interface PageRequest {
  readonly interaction: string
  readonly proof: string
}

/** Whether the page belongs to the browser that asks; what it says about an answer that does not is sent. */
function isTheirs({ parts, req, res }: Exchange, { interaction, proof }: PageRequest): boolean {
  if (parts.isProof(proof, interaction, parts.sessions.knownBrowser(req))) return true
  sendProblem(res, 403, elsewhere)
  return false
}

async function showConsent(exchange: Exchange): Promise<void> {
  const { parts, server, req, res } = exchange
  const query = new URLSearchParams(queryStringOf(req))
  const fields = { interaction: query.get('interaction') ?? '', proof: query.get('proof') ?? '' }
  if (!isTheirs(exchange, fields)) return
  const prompt = await server.interaction(req, fields.interaction)
  const session = await parts.sessions.find(req)
  if (prompt?.name !== 'consent' || session === undefined) {
    await server.resume(req, res, fields.interaction)
    return
  }
  const page: ConsentPage = {
    prompt,
    person: session.name,
    meanings: parts.meanings,
    action: parts.addresses.consent,
    fields
  }
  if (parts.options.consentPage === undefined) sendConsentPage(res, page)
  else await parts.options.consentPage(req, res, page)
}

async function takeConsent(exchange: Exchange): Promise<void> {
  const { parts, server, req, res } = exchange
  const { interaction = '', proof = '', decision } = await readParameters(req)
  if (!isTheirs(exchange, { interaction, proof })) return
  if (decision !== 'allow') {
    await server.resume(req, res, interaction, decision === 'deny' ? { error: 'access_denied' } : undefined)
    return
  }
  const prompt = await server.interaction(req, interaction)
  if (prompt?.name === 'consent') {
    const { client, scope, resources } = prompt
    await parts.sessions.agree(req, { client_id: client.client_id, scope, resources })
  }
  await server.resume(req, res, interaction, { consent: true })
}
