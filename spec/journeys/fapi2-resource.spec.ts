/** `profile: 'fapi2-security'` at the API: whose tokens, and which DPoP proofs, are taken; the same proofs at the token endpoint. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { once } from 'node:events'
import { hash, KeyObject, randomUUID, sign as signBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { exportJWK } from 'jose'
import * as client from 'openid-client'
import { makeDpopKey, prove, type DpopKey, type ProofParts } from '../support/clients/dpop.ts'
import { apiStatus, certificateBound, holdingCertificate, registering } from '../support/journeys/bound.ts'
import { api, authorityParty, keyParty } from '../support/journeys/clients.ts'
import { callApi, discover, refusal, signIn, whoami } from '../support/journeys/openid-client.ts'
import { push } from '../support/journeys/requests.ts'
import { alice, serverAuthority, startServer, type RunningServer } from '../support/journeys/server.ts'
import { serverKeys } from '../support/keys/made-keys.ts'

const dpop = { dpop_bound_access_tokens: true }
const first = registering(await keyParty('first'), dpop)
const second = registering(await keyParty('second', 'PS256'), dpop)
const tlsFirst = certificateBound(authorityParty('tls-first'))
const tlsSecond = certificateBound(authorityParty('tls-second'))
const keyWithCertificate = certificateBound(holdingCertificate(await keyParty('key-with-certificate')))
const pair = { key: await makeDpopKey('ES256'), other: await makeDpopKey('ES256'), rsa: await makeDpopKey('RS256') }

let server: RunningServer
let access_token: string

beforeAll(async () => {
  const clients = [first, second, tlsFirst, tlsSecond, keyWithCertificate]
  const keys = await serverKeys(['PS256', 'ES256', 'EdDSA'])
  server = await startServer({ clients, listeners: 'aliases', options: { profile: 'fapi2-security', keys } })
  const config = await discover(server, first)
  access_token = (await signIn(server, config, { build: push(config), DPoP: await handleOf(config) })).access_token
})
afterAll(() => server.close())

/** openid-client's handle of the key that the proofs made here are signed with. */
async function handleOf(config: client.Configuration, { privateKey, jwk }: DpopKey = pair.key): Promise<client.DPoPHandle> {
  const publicKey = await crypto.subtle.importKey('jwk', { ...jwk }, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify'])
  return client.getDPoPHandle(config, { privateKey, publicKey })
}

const scheme = (name: string): string => `${name} ${access_token}`
const apiAnswers = (authorization: string, proof?: string): Promise<number> =>
  apiStatus(server.fetchFor(), whoami(server), authorization, proof)
const proofOf = (parts: ProofParts = {}, key = pair.key): Promise<string> =>
  prove(key, 'GET', whoami(server).href, Date.now(), { access_token, ...parts })

/** For what no library would sign. */
function byHand(header: object, claims: object): string {
  const input = [header, claims].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  const key = { key: KeyObject.from(pair.key.privateKey), dsaEncoding: 'ieee-p1363' as const }
  return `${input}.${signBytes('sha256', Buffer.from(input), key).toString('base64url')}`
}

/** A proof's claims as they should be; `ath` at the API. */
function claimsFor(htm: string, htu: string): object {
  const ath = hash('sha256', access_token, 'base64url')
  return { jti: randomUUID(), htm, htu, iat: Math.floor(Date.now() / 1000), ath }
}

const hoursAway = (hours: number): number => Math.floor(Date.now() / 1000) + hours * 3600

/** Everything R6 names that can be wrong with a proof; `ath` means something at the API alone. */
const bad: readonly (readonly [string, (htm: string, htu: string) => string | Promise<string>])[] = [
  ['not a JWT', () => 'proof'],
  ...(['typ', 'jwk'] as const).map(
    name => [`without ${name}`, (htm: string, htu: string) => at(htm, htu, { header: { [name]: undefined } })] as const
  ),
  ...(['jti', 'htm', 'htu', 'iat'] as const).map(
    name => [`without ${name}`, (htm: string, htu: string) => at(htm, htu, { claims: { [name]: undefined } })] as const
  ),
  ['without alg', (htm, htu) => byHand({ typ: 'dpop+jwt', jwk: pair.key.jwk }, claimsFor(htm, htu))],
  ['with alg none', (htm, htu) => unsigned(htm, htu)],
  ['with another typ', (htm, htu) => at(htm, htu, { header: { typ: 'JWT' } })],
  ['signed RS256', (htm, htu) => at(htm, htu, {}, pair.rsa)],
  ['signed with another key than its own', (htm, htu) => at(htm, htu, { header: { jwk: pair.other.jwk } })],
  ['with its private key in it', async (htm, htu) => at(htm, htu, { header: { jwk: await exportJWK(pair.key.privateKey) } })],
  ['for PUT', (_htm, htu) => at('PUT', htu)],
  ['for another address', (htm, htu) => at(htm, `${htu}/elsewhere`)],
  ['for another host', htm => at(htm, 'https://elsewhere.example/api/whoami')],
  ['from an hour ago', (htm, htu) => at(htm, htu, { claims: { iat: hoursAway(-1) } })],
  ['from an hour ahead', (htm, htu) => at(htm, htu, { claims: { iat: hoursAway(1) } })]
]

function at(htm: string, htu: string, parts: ProofParts = {}, key = pair.key): Promise<string> {
  return prove(key, htm, htu, Date.now(), { access_token, ...parts })
}

async function unsigned(htm: string, htu: string): Promise<string> {
  const [, claims = ''] = (await at(htm, htu)).split('.')
  const header = { typ: 'dpop+jwt', alg: 'none', jwk: pair.key.jwk }
  return `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${claims}.`
}

/** Really two headers, which a fetch would have joined. */
async function withTwoProofs(proofs: readonly string[]): Promise<number | undefined> {
  const headers = { authorization: scheme('DPoP'), dpop: [...proofs] }
  const outgoing = request(whoami(server), { ca: serverAuthority.pem, headers, agent: false })
  outgoing.end()
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
  answer.resume()
  return answer.statusCode
}

describe('R1-R3: a request', () => {
  it('may have all the headers FAPI clients send', async () => {
    const sent = {
      authorization: scheme('DPoP'),
      dpop: await proofOf(),
      accept: 'application/json;charset=UTF-8',
      'accept-charset': 'UTF-8',
      'x-fapi-auth-date': new Date().toUTCString(),
      'x-fapi-customer-ip-address': '2001:db8::1',
      'x-fapi-interaction-id': randomUUID()
    }
    const answer = await server.fetchFor()(whoami(server).href, { headers: sent })
    expect(answer.status).toBe(200)
    expect(answer.headers.has('date')).toBe(true)
    expect(await answer.json()).toMatchObject({ sub: alice, client_id: 'first' })
  })

  it('with the token in its query has none', async () => {
    const url = `${whoami(server).href}?access_token=${access_token}`
    const answer = await server.fetchFor()(url, { headers: { dpop: await proofOf() } })
    expect(answer.status).toBe(401)
  })
})

describe('R4: the scheme', () => {
  it.each(['DPoP', 'dpop', 'dPoP', 'DPOP'])('may be written %s', async name => {
    expect(await apiAnswers(scheme(name), await proofOf())).toBe(200)
  })

  it.each(['Bearer', 'bearer', 'bEARER', 'BEARER'])('may be written %s for certificate-bound tokens', async name => {
    const config = await discover(server, tlsFirst)
    const tokens = await client.clientCredentialsGrant(config, { scope: 'api:read' })
    const fetch = server.fetchFor(tlsFirst)
    expect(await apiStatus(fetch, whoami(server, 'mtls'), `${name} ${tokens.access_token}`)).toBe(200)
  })
})

describe("R5: another client's token", () => {
  it('with one’s own key is refused', async () => {
    const theirs = await discover(server, second)
    const own = await handleOf(theirs, pair.other)
    const { access_token: token } = await signIn(server, theirs, { build: push(theirs), DPoP: own })
    const key = await handleOf(theirs)
    expect(await refusal(callApi(theirs, whoami(server), token, key))).toEqual({ status: 401, error: 'invalid_token' })
    expect(await callApi(theirs, whoami(server), token, own)).toMatchObject({ client_id: 'second' })
  })

  it.each([tlsSecond, keyWithCertificate])('$method: with one’s own certificate is refused', async party => {
    const config = await discover(server, party)
    const { access_token: token } = await signIn(server, config, { build: push(config), parameters: { resource: api } })
    const url = whoami(server, 'mtls')
    for (const fetch of [server.fetchFor(tlsFirst), server.fetchFor()])
      expect(await apiStatus(fetch, url, `Bearer ${token}`)).toBe(401)
    expect(await apiStatus(server.fetchFor(party), url, `Bearer ${token}`)).toBe(200)
  })
})

describe('R6: a proof', () => {
  it.each(bad)('%s is refused by the API, and the token goes on working', async (_name, make) => {
    expect(await apiAnswers(scheme('DPoP'), await make('GET', whoami(server).href))).toBe(401)
    expect(await apiAnswers(scheme('DPoP'), await proofOf())).toBe(200)
  })

  it.each(bad)('%s is refused by the token endpoint', async (_name, make) => {
    const fetch = server.fetchFor(first)
    const config = await discover(server, first, {
      fetch: async (url, init = {}) => {
        if (init.method !== 'POST') return fetch(url, init)
        const headers = new Headers(init.headers)
        headers.set('dpop', await make('POST', url))
        return fetch(url, { ...init, headers })
      }
    })
    const refused = { status: 400, error: 'invalid_dpop_proof' }
    expect(await refusal(client.clientCredentialsGrant(config, { scope: 'api:read' }))).toEqual(refused)
  })

  it('must be for this token, and with its key', async () => {
    expect(await apiAnswers(scheme('DPoP'), await proofOf({ claims: { ath: undefined } }))).toBe(401)
    expect(await apiAnswers(scheme('DPoP'), await proofOf({ access_token: 'another' }))).toBe(401)
    expect(await apiAnswers(scheme('DPoP'), await proofOf({}, pair.other))).toBe(401)
  })

  it('must be there, once, and beside the scheme DPoP', async () => {
    expect(await apiAnswers(scheme('DPoP'))).toBe(401)
    expect(await apiAnswers(scheme('Bearer'))).toBe(401)
    expect(await apiAnswers(scheme('Bearer'), await proofOf())).toBe(401)
    expect(await withTwoProofs([await proofOf(), await proofOf()])).toBe(401)
    expect(await withTwoProofs([await proofOf()])).toBe(200)
  })

  it('is good for one request', async () => {
    const proof = await proofOf()
    expect(await apiAnswers(scheme('DPoP'), proof)).toBe(200)
    expect(await apiAnswers(scheme('DPoP'), proof)).toBe(401)
  })
})

describe('R7: a proof may', () => {
  it('be signed by hand, where it is right', async () => {
    const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: pair.key.jwk }
    expect(await apiAnswers(scheme('DPoP'), byHand(header, claimsFor('GET', whoami(server).href)))).toBe(200)
  })

  const seconds = (offset: number): number => Math.floor(Date.now() / 1000) + offset

  it.each<[string, () => ProofParts]>([
    ['have a query and a fragment in htu', () => ({ claims: { htu: `${whoami(server).href}?a=b#c` } })],
    ['have claims nobody knows', () => ({ claims: { strange: { deep: [1] } } })],
    ['have header members nobody knows', () => ({ header: { strange: 'member' } })],
    ['be ten seconds old', () => ({ claims: { iat: seconds(-10) } })],
    ['be eight seconds ahead', () => ({ claims: { iat: seconds(8) } })],
    ['have nbf and exp', () => ({ claims: { nbf: seconds(-1), exp: seconds(60) } })],
    ['have scheme and host in capitals', () => ({ claims: { htu: whoami(server).href.replace('https:', 'HTTPS:') } })]
  ])('%s', async (_name, parts) => {
    expect(await apiAnswers(scheme('DPoP'), await proofOf(parts()))).toBe(200)
  })
})
