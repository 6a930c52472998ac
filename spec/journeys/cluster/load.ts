/** Clients that use what they were given, over and over, and ask again when an answer gets lost on the way. */
import { setTimeout as pause } from 'node:timers/promises'
import { codeFor, neverSent, redemption, type Answer, type Cluster, type Request } from './cluster.ts'

/** What one refresh token and all its successors came to. */
export interface Family {
  /** The token in force, as far as its client knows. */
  token: string
  /** Every token its client ever had, the oldest first. */
  readonly tokens: string[]
  /** Every access token its client was answered with. */
  readonly accessTokens: string[]
}

/** What became of one code: answered with tokens, or spent by a request whose answer was lost. */
export interface RedeemedCode {
  readonly code: string
  readonly tokens: { readonly access_token: string; readonly refresh_token: string } | undefined
}

export interface Client {
  readonly client_id: string
  readonly headers: Readonly<Record<string, string>>
}

export interface Load {
  readonly cluster: Cluster
  readonly client: Client
  readonly families: readonly Family[]
  readonly codes: RedeemedCode[]
  rotations: number
  /** Rotations for which at least one request got no answer, or 503. */
  uncertain: number
  /** Uncertain rotations for which two further requests got one and the same successor. */
  repeated: number
  /** Requests somebody got and nobody answered. */
  unanswered: number
  /** Requests answered with 503. */
  unavailable: number
}

/** Milliseconds after which what does not come back is taken for gone. */
const patience = 60_000

export async function startFamilies(cluster: Cluster, client: Client, count: number): Promise<Load> {
  const families = await Promise.all(
    Array.from({ length: count }, async (_, index): Promise<Family> => {
      const code = await codeFor(cluster, index, client.client_id, `family ${index}`)
      const { body } = await cluster.ask(index, '/oauth2/token', { form: redemption(code), headers: client.headers })
      const { refresh_token = '', access_token = '' } = body
      return { token: refresh_token, tokens: [refresh_token], accessTokens: [access_token] }
    })
  )
  return { cluster, client, families, codes: [], rotations: 0, uncertain: 0, repeated: 0, unanswered: 0, unavailable: 0 }
}

/**
 * All families at once: each replaces its token so many times, and redeems a code after every fifth time. `onRotation` is called
 * after each rotation.
 */
export async function work(load: Load, turns: number, onRotation: () => void): Promise<void> {
  const { cluster, client, families } = load
  const count = families.length * Math.floor(turns / 5)
  const codes = await Promise.all(
    Array.from({ length: count }, (_, index) => codeFor(cluster, index, client.client_id, `code ${load.codes.length + index}`))
  )
  await Promise.all(
    families.map(async (family, index) => {
      for (let turn = 1; turn <= turns; turn++) {
        await rotate(load, family, index + turn)
        onRotation()
        const code = turn % 5 === 0 ? codes.pop() : undefined
        if (code !== undefined) await redeem(load, code, index + turn)
      }
    })
  )
}

async function rotate(load: Load, family: Family, node: number): Promise<void> {
  const request = { form: { grant_type: 'refresh_token', refresh_token: family.token }, headers: load.client.headers }
  const { answer, uncertain } = await insist(load, node, request)
  const { refresh_token = '', access_token = '' } = successful(answer)
  if (uncertain) {
    const again = await insist(load, node + 1, request)
    if (successful(again.answer)['refresh_token'] === refresh_token) load.repeated += 1
    load.uncertain += 1
  }
  load.rotations += 1
  family.token = refresh_token
  family.tokens.push(refresh_token)
  family.accessTokens.push(access_token)
}

/** A code whose first answer was lost may be spent: then the client has to ask its person again (RFC 6749 §4.1.2). */
async function redeem(load: Load, code: string, node: number): Promise<void> {
  const { answer, uncertain } = await insist(load, node, { form: redemption(code), headers: load.client.headers })
  const spent = uncertain && answer.status === 400 && answer.body['error'] === 'invalid_grant'
  const { access_token = '', refresh_token = '' } = spent ? {} : successful(answer)
  load.codes.push({ code, tokens: spent ? undefined : { access_token, refresh_token } })
}

/** Asks one process after the other until one answers; what it answers with is the caller's to judge. */
async function insist(load: Load, first: number, request: Request): Promise<{ answer: Answer; uncertain: boolean }> {
  const deadline = Date.now() + patience
  let uncertain = false
  for (let attempt = 0; Date.now() < deadline; attempt++) {
    const answer = await load.cluster.ask(first + attempt, '/oauth2/token', request).catch((error: unknown) => {
      if (!neverSent(error)) {
        uncertain = true
        load.unanswered += 1
      }
    })
    if (answer !== undefined && !isUnavailable(answer)) return { answer, uncertain }
    if (answer !== undefined) {
      uncertain = true
      load.unavailable += 1
    }
    await pause(200)
  }
  throw new Error('no process answered any more')
}

function isUnavailable({ status, body, retryAfter }: Answer): boolean {
  return status === 503 && body['error'] === 'temporarily_unavailable' && Number(retryAfter) > 0
}

function successful({ status, body }: Answer): Answer['body'] {
  if (status !== 200) throw new Error(`what was good was refused: ${status} ${JSON.stringify(body)}`)
  return body
}
