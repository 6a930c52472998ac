/**
 * Attacks for one's own tests: requests that are wrong in one place, for any authorization server. Each says what is
 * wrong with it, which section a server breaks that lets it pass, and whether an answer refuses it.
 *
 * @module clientele/testing/attacks
 */
import { createPrivateKey, createPublicKey, type JsonWebKey } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { assertionAttempts } from './attacks/assertions.ts'
import {
  attackOf,
  read,
  type Attack,
  type AttackAnswer,
  type AttackLevel,
  type Attempt,
  type HeldAttack
} from './attacks/case.ts'
import { endpointAttempts } from './attacks/endpoints.ts'
import { proofAttempts } from './attacks/proofs.ts'
import { requestAttempts } from './attacks/requests.ts'
import { endpointOf, tokenRequest, type AttackedClient, type AttackKey, type Target, type Wire } from './attacks/target.ts'

export type { Attack, AttackAnswer, AttackLevel, AttackName, AttackOutcome, HeldAttack } from './attacks/case.ts'
export type { AttackedClient, AttackKey } from './attacks/target.ts'

/** Options of `attacks()`: the server to attack, and the client to attack it as. */
export interface AttackOptions {
  /** The issuer; its metadata says where the endpoints are. */
  readonly issuer: string
  /** A client of the server that may use `client_credentials`. */
  readonly client: AttackedClient
  /** Its key, for `private_key_jwt`. */
  readonly keys?: AttackKey | undefined
  /** Asks for addresses. Default: the global `fetch`, without following redirects. */
  readonly fetch?: typeof globalThis.fetch | undefined
  /**
   * The application to ask in the place of the network, such as an Express app; it is served on a port of its own while
   * a request lasts.
   */
  readonly app?: RequestListener | undefined
  /** Milliseconds to wait for each answer. Default 10000. */
  readonly timeout?: number | undefined
}

/** Attacks on a server, beside those that cannot be sent to it. */
export interface Attacks extends ReadonlyArray<Attack> {
  /** Attacks on an endpoint the server has not, or that no request of this client can be made into; each with why. */
  readonly heldBack: readonly HeldAttack[]
}

/**
 * The attacks there are for a server and a client of it, some 200 to 350. A server that refuses all of them may be
 * wrong elsewhere; one that lets one pass, or answers with 5xx, is wrong there. What the server's metadata does not
 * announce it may ignore: such an attack is sent, and `judge` tells that from one that was let through.
 *
 * @throws TypeError (rejects) where the server has no metadata, or refuses the good request that the attacks are made
 * from.
 *
 * @example
 * for (const attack of await attacks({ issuer, client, keys, app })) {
 *   it(attack.name, async () => expect(attack.refused(await attack.send())).toBe(true))
 * }
 */
export async function attacks(options: AttackOptions): Promise<Attacks> {
  const target = await targetOf(options)
  const good = await read(await target.ask(tokenRequest(target)))
  if (good.status !== 200)
    throw new TypeError(
      `the good request is answered ${good.status}, and so the bad ones would prove nothing: ${good.text.slice(0, 200)}`
    )
  const all = [
    ...[...assertionAttempts, ...requestAttempts, ...proofAttempts].map(attempt => attackOf(target, 'token', attempt)),
    ...Object.entries(endpointAttempts).flatMap(([endpoint, attempts]) => attacksAt(target, endpoint, attempts))
  ]
  return Object.assign(
    all.filter(attack => 'send' in attack),
    { heldBack: all.filter(attack => 'reason' in attack) }
  )
}

function attacksAt(target: Target, endpoint: string, attempts: readonly Attempt[]): readonly (Attack | HeldAttack)[] {
  const member = `${endpoint}_endpoint`
  const isThere = endpointOf(target, member) !== undefined
  const held = (): string => `the metadata has no ${member}`
  return attempts.map(attempt => attackOf(target, endpoint, isThere ? attempt : { ...attempt, held }))
}

async function targetOf({
  issuer,
  client,
  keys,
  app,
  timeout = 10_000,
  fetch = globalThis.fetch
}: AttackOptions): Promise<Target> {
  const over = app === undefined ? fetch : through(app)
  const ask = ({ url, method, headers, body }: Wire): Promise<Response> =>
    over(url, {
      method,
      headers: { ...headers },
      redirect: 'manual',
      signal: AbortSignal.timeout(timeout),
      ...(body !== undefined && { body })
    })
  return { issuer, client, ask, metadata: await metadataOf(issuer, ask), key: keys && keyOf(keys) }
}

async function metadataOf(issuer: string, ask: Target['ask']): Promise<Target['metadata']> {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  for (const url of [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`
  ]) {
    const { status, text } = await read(await ask({ url, method: 'GET', headers: {}, body: undefined }))
    if (status === 200) return JSON.parse(text) as Target['metadata']
  }
  throw new TypeError(`${issuer} has no metadata`)
}

function keyOf({ jwk }: AttackKey): NonNullable<Target['key']> {
  const key = createPrivateKey({ key: jwk, format: 'jwk' })
  const publicJwk: JsonWebKey = createPublicKey(key).export({ format: 'jwk' })
  return { alg: jwk.alg, kid: jwk.kid, key, publicJwk }
}

/** Asks an application, whatever host an address names. */
function through(app: RequestListener): typeof globalThis.fetch {
  return async (input, init) => {
    const server = createServer(app).listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const { pathname, search } = new URL(input)
      const answer = await globalThis.fetch(
        `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}${search}`,
        init
      )
      const body = await answer.arrayBuffer()
      return new Response([204, 205, 304].includes(answer.status) ? null : body, {
        status: answer.status,
        headers: answer.headers
      })
    } finally {
      server.closeAllConnections()
      server.close()
    }
  }
}

/** Outcome of a run of attacks. */
export interface AttackReport {
  /** Number of attacks sent. */
  readonly sent: number
  /** Those that were let through, or not answered. */
  readonly findings: readonly {
    /** The attack. */ readonly name: string
    /** The rule. */ readonly section: string
    /** How grave it is. */ readonly level: AttackLevel
    /** The status that was answered; undefined: nothing was. */ readonly status: number | undefined
  }[]
  /** Those that say nothing about the server: held back, or ignored as it may. */
  readonly notApplicable: readonly {
    /** The attack. */ readonly name: string
    /** The rule. */ readonly section: string
    /** Says why. */ readonly reason: string
  }[]
}

/**
 * Sends attacks one after the other, and says which were let through, and which do not apply to the server.
 *
 * @param cases what `attacks()` made, or some of it.
 * @param pause milliseconds between two of them. Default 0.
 */
export async function runAttacks(
  cases: readonly Attack[] & Partial<Pick<Attacks, 'heldBack'>>,
  pause = 0
): Promise<AttackReport> {
  const findings: AttackReport['findings'][number][] = []
  const notApplicable = (cases.heldBack ?? []).map(({ name, section, reason }) => ({ name, section, reason }))
  for (const attack of cases) {
    const { name, section, level } = attack
    const answer: AttackAnswer | undefined = await attack.send().catch(() => undefined)
    const judged = answer === undefined ? ({ outcome: 'accepted' } as const) : attack.judge(answer)
    if (judged.outcome === 'accepted') findings.push({ name, section, level, status: answer?.status })
    else if (judged.outcome === 'not_applicable') notApplicable.push({ name, section, reason: judged.reason })
    if (pause > 0) await new Promise(resolve => setTimeout(resolve, pause))
  }
  return { sent: cases.length, findings, notApplicable }
}
