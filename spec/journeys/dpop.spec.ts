/** DPoP (RFC 9449) as openid-client does it: with the server's nonces and without, for clients of every kind. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import * as client from 'openid-client'
import { apiStatus, boundJourney, confirmationOf, registering } from '../support/journeys/bound.ts'
import { api, authorityParty, keyParty, publicParty, secretParty, type Party } from '../support/journeys/clients.ts'
import { callApi, discover, refusal, signIn, whoami } from '../support/journeys/openid-client.ts'
import { alice, startServer, type RunningServer } from '../support/journeys/server.ts'
import { makeDpopKey, prove } from '../support/clients/dpop.ts'

const always = { dpop_bound_access_tokens: true }
const secret = registering(secretParty('client_secret_basic', 'secret'), always)
const key = registering(await keyParty('key'), always)
const authority = registering(authorityParty('authority'), always)
const open = registering(publicParty('public'), always)
/** Registered nothing about DPoP, and may use it all the same. */
const willing = publicParty('willing')
const parties: readonly Party[] = [secret, key, authority, open, willing]
const confidential = [secret, key, authority]
const invalidGrant = { status: 400, error: 'invalid_grant' }
const invalidProof = { status: 400, error: 'invalid_dpop_proof' }

async function newKey(config: client.Configuration, alg = 'ES256', hook?: client.ModifyAssertionFunction) {
  const options = hook && { [client.modifyAssertion]: hook }
  return client.getDPoPHandle(config, await client.randomDPoPKeyPair(alg), options)
}

describe.each([
  { nonces: true, name: 'with nonces of the server' },
  { nonces: false, name: 'without nonces' }
])('DPoP $name', ({ nonces }) => {
  let server: RunningServer

  beforeAll(async () => {
    server = await startServer({ clients: parties, listeners: 'aliases', options: { requireDpopNonce: nonces } })
  })
  afterAll(() => server.close())

  it.each(parties)('$client_id ($method): code, PKCE, userinfo, API, refresh', async party => {
    const { fetch, sent } = server.recordingFor(party)
    const config = await discover(server, party, { fetch })
    const DPoP = await newKey(config)
    await boundJourney({
      server,
      party,
      config,
      bound: { jkt: await DPoP.calculateThumbprint() },
      apiAt: whoami(server),
      DPoP
    })
    const proved = sent.filter(({ headers }) => headers.has('dpop'))
    const origins = new Set(proved.map(({ url }) => new URL(url).origin))
    // a client that authenticates by certificate goes to the other listener, which is what its proofs are for
    expect([...origins]).toEqual(party === authority ? [server.mtlsOrigin, server.issuer] : [server.issuer])
    const proofs = proved.map(({ url, headers }) => ({ url, claims: decodeJwt(headers.get('dpop') ?? '') }))
    for (const { url, claims } of proofs) expect(claims['htu']).toBe(url)
    // one request for each origin finds out that a nonce is needed
    const withoutNonce = proofs.filter(({ claims }) => claims['nonce'] === undefined)
    expect(withoutNonce).toHaveLength(nonces ? origins.size : proofs.length)
  })

  it.each(['ES256', 'PS256', 'Ed25519', 'EdDSA'])('%s', async alg => {
    const { fetch, sent } = server.recordingFor(open)
    const config = await discover(server, open, { fetch })
    // it names the algorithm Ed25519, as it is called today; most clients say EdDSA
    const nameIt = (header: Record<string, unknown>): void => void (header['alg'] = alg)
    const DPoP = await newKey(config, alg, nameIt)
    const bound = { jkt: await DPoP.calculateThumbprint() }
    await boundJourney({ server, party: open, config, bound, apiAt: whoami(server), DPoP })
    const proofs = sent.flatMap(({ headers }) => headers.get('dpop') ?? [])
    expect(new Set(proofs.map(proof => decodeProtectedHeader(proof).alg))).toEqual(new Set([alg]))
  })

  it.each(confidential)('$method: client credentials', async party => {
    const config = await discover(server, party)
    const DPoP = await newKey(config)
    const tokens = await client.clientCredentialsGrant(config, { scope: 'api:read', resource: api }, { DPoP })
    expect(tokens.token_type).toBe('dpop')
    expect(await callApi(config, whoami(server), tokens.access_token, DPoP)).toMatchObject({ sub: party.client_id })
  })

  it.each(confidential)('$method: refreshes with a new key, which the new token is bound to', async party => {
    const config = await discover(server, party)
    const [first, second] = [await newKey(config), await newKey(config)]
    const tokens = await signIn(server, config, { DPoP: first })
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '', {}, { DPoP: second })
    expect(await confirmationOf(server, refreshed.access_token)).toEqual({ jkt: await second.calculateThumbprint() })
    await callApi(config, whoami(server), refreshed.access_token, second)
    await callApi(config, whoami(server), tokens.access_token, first)
    expect(await refusal(callApi(config, whoami(server), refreshed.access_token, first))).toMatchObject({ status: 401 })
  })

  it.each([open, willing])("$client_id: a public client's refresh token is bound to its key", async party => {
    const config = await discover(server, party)
    const [first, second] = [await newKey(config), await newKey(config)]
    const { refresh_token = '' } = await signIn(server, config, { DPoP: first })
    expect(await refusal(client.refreshTokenGrant(config, refresh_token, {}, { DPoP: second }))).toEqual(invalidGrant)
    const withoutKey = await refusal(client.refreshTokenGrant(config, refresh_token))
    expect(withoutKey).toEqual(party === open ? invalidProof : invalidGrant)
    // neither attempt cost its owner anything
    const refreshed = await client.refreshTokenGrant(config, refresh_token, {}, { DPoP: first })
    expect(await callApi(config, whoami(server), refreshed.access_token, first)).toMatchObject({ sub: alice })
  })

  it.each([secret, open])('$method: a token stolen without its key is worth nothing', async party => {
    const config = await discover(server, party)
    const [own, other] = [await newKey(config), await newKey(config)]
    const { access_token } = await signIn(server, config, { DPoP: own })
    const userinfo = new URL(config.serverMetadata().userinfo_endpoint ?? '')
    for (const url of [whoami(server), userinfo]) {
      expect(await apiStatus(server.fetchFor(), url, `Bearer ${access_token}`)).toBe(401)
      expect(await apiStatus(server.fetchFor(), url, `DPoP ${access_token}`)).toBe(401)
    }
    const refused = { status: 401, error: 'invalid_token' }
    expect(await refusal(callApi(config, whoami(server), access_token, other))).toEqual(refused)
    expect(await refusal(client.fetchUserInfo(config, access_token, alice, { DPoP: other }))).toEqual(refused)
    await callApi(config, whoami(server), access_token, own)
  })

  it.each([secret, key, authority, open])('$method: registered for DPoP, it gets nothing without a proof', async party => {
    expect(await refusal(signIn(server, await discover(server, party)))).toEqual(invalidProof)
  })

  it.each([secret, open])('$method: a code asked for with a key is for its holder', async party => {
    const config = await discover(server, party)
    const [own, other] = [await newKey(config), await newKey(config)]
    const parameters = { dpop_jkt: await own.calculateThumbprint() }
    expect(await refusal(signIn(server, config, { parameters, DPoP: other }))).toEqual(invalidGrant)
    await signIn(server, config, { parameters, DPoP: own })
  })
})

describe('nonces', () => {
  let server: RunningServer
  let ahead = 0
  const now = (): number => Date.now() + ahead
  const demand = (response: Response): unknown[] => [response.status, response.headers.has('dpop-nonce')]

  beforeAll(async () => {
    const options = { requireDpopNonce: true, clock: now }
    server = await startServer({ clients: [secret], listeners: 'https', options })
  })
  afterAll(() => server.close())

  it('rotate, and a client that holds an old one is given the new one', async () => {
    const { fetch, sent } = server.recordingFor(secret)
    const config = await discover(server, secret, { fetch })
    const DPoP = await newKey(config, 'ES256', (_header, claims) => void (claims['iat'] = Math.floor(now() / 1000)))
    const { access_token } = await client.clientCredentialsGrant(config, { scope: 'api:read' }, { DPoP })
    for (let minutes = 0; minutes < 4; minutes++) {
      await callApi(config, whoami(server), access_token, DPoP)
      ahead += 150_000
    }
    const proofs = sent.flatMap(({ headers }) => headers.get('dpop') ?? [])
    const nonces = new Set(proofs.map(proof => decodeJwt(proof)['nonce']))
    // none, and one for each period there was
    expect(nonces.size).toBe(5)
    expect(proofs).toHaveLength(2 + 1 + 3 * 2)
  })

  it.each([undefined, 'made-up', 7])('that are %s are answered with one to use', async nonce => {
    const fetch = server.fetchFor()
    const config = await discover(server, secret)
    const DPoP = await newKey(config, 'ES256', (_header, claims) => void (claims['iat'] = Math.floor(now() / 1000)))
    const { access_token } = await client.clientCredentialsGrant(config, { scope: 'api:read' }, { DPoP })
    const stranger = await makeDpopKey()
    const url = config.serverMetadata().token_endpoint ?? ''
    const dpop = await prove(stranger, 'POST', url, now(), { claims: { nonce } })
    const basic = Buffer.from(`${secret.client_id}:${encodeURIComponent(secret.secret)}`).toString('base64')
    const body = new URLSearchParams({ grant_type: 'client_credentials' })
    const atToken = await fetch(url, { method: 'POST', headers: { authorization: `Basic ${basic}`, dpop }, body })
    expect(await atToken.json()).toMatchObject({ error: 'use_dpop_nonce' })
    expect(demand(atToken)).toEqual([400, true])
    const proof = await prove(stranger, 'GET', whoami(server).href, now(), { claims: { nonce }, access_token })
    const headers = { authorization: `DPoP ${access_token}`, dpop: proof }
    const atApi = await fetch(whoami(server).href, { headers })
    expect(atApi.headers.get('www-authenticate')).toContain('DPoP error="use_dpop_nonce"')
    expect(demand(atApi)).toEqual([401, true])
  })
})
