/** Authorization requests that are pushed (RFC 9126) and signed (RFC 9101), and answers that are signed (JARM), as openid-client does them. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import * as client from 'openid-client'
import { Browser } from '../support/journeys/browser.ts'
import { boundJourney, certificateBound, registering, withSigningKey } from '../support/journeys/bound.ts'
import {
  authorityParty,
  callback,
  keyParty,
  publicParty,
  secretParty,
  selfSignedParty,
  type Party
} from '../support/journeys/clients.ts'
import {
  codeAndRefresh,
  discover,
  refusal,
  signIn,
  whoami,
  type AuthorizationOptions
} from '../support/journeys/openid-client.ts'
import { push, sign, signAndPush } from '../support/journeys/requests.ts'
import { startServer, type RunningServer } from '../support/journeys/server.ts'
import { serverKeys } from '../support/keys/made-keys.ts'

type Parameters = Readonly<Record<string, string>>

const key = await keyParty('key')
const signers = await Promise.all(['RS256', 'PS256', 'Ed25519'].map(alg => keyParty(`signs-${alg}`, alg)))
const secret = await withSigningKey(secretParty('client_secret_basic', 'secret'))
const authority = certificateBound(await withSigningKey(authorityParty('authority')))
const selfSigned = certificateBound(selfSignedParty('self-signed'))
const open = await withSigningKey(publicParty('public'))
const pushing = [key, secret, authority, selfSigned, open]
const signing = [key, secret, authority, open, ...signers]
const strict = registering(await keyParty('strict'), {
  require_pushed_authorization_requests: true,
  require_signed_request_object: true,
  request_object_signing_alg: 'ES256',
  authorization_signed_response_alg: 'PS256'
})

let server: RunningServer

beforeAll(async () => {
  const keys = await serverKeys(['ES256', 'RS256', 'PS256', 'EdDSA'])
  server = await startServer({ clients: [...pushing, ...signers, strict], listeners: 'aliases', options: { keys } })
})
afterAll(() => server.close())

const jarm: AuthorizationOptions = { answerMembers: ['response'] }

/** What is left of the request in the browser's address bar. */
function seenIn(build: (given: Parameters) => Promise<URL>, seen: string[][]): (given: Parameters) => Promise<URL> {
  return async given => {
    const url = await build(given)
    seen.push([...url.searchParams.keys()].sort())
    return url
  }
}

/** Journeys of a client whose tokens are bound to its certificate, or to nothing. */
async function journey(party: Party, config: client.Configuration, options: AuthorizationOptions): Promise<void> {
  if (!('certificate' in party)) await codeAndRefresh(server, party, config, options)
  else {
    const bound = { 'x5t#S256': party.certificate.thumbprint }
    await boundJourney({ server, party, config, bound, apiAt: whoami(server, 'mtls'), options })
  }
}

describe('pushed requests', () => {
  it.each(pushing)('$method: code, PKCE, userinfo, API, refresh', async party => {
    const { fetch, sent } = server.recordingFor(party)
    const config = await discover(server, party, { fetch })
    const seen: string[][] = []
    await journey(party, config, { build: seenIn(push(config), seen) })
    for (const names of seen) expect(names).toEqual(['client_id', 'request_uri'])
    const pushed = sent.filter(({ url }) => url.endsWith('/par')).map(({ url }) => new URL(url).origin)
    expect(new Set(pushed)).toEqual(new Set(['certificate' in party ? server.mtlsOrigin : server.issuer]))
  })

  it.each(pushing.filter(({ method }) => method !== 'none'))('$method: are taken from the client alone', async party => {
    const config = await discover(server, party, { auth: client.None(), fetch: server.fetchFor() })
    const parameters = { redirect_uri: callback, scope: 'openid' }
    expect(await refusal(push(config)(parameters))).toEqual({ status: 401, error: 'invalid_client' })
  })

  it('are what counts, whatever else the browser brings', async () => {
    const config = await discover(server, key)
    const build = async (given: Parameters): Promise<URL> => {
      const url = await push(config)(given)
      const strange = { state: 'other', nonce: 'other', scope: 'openid', redirect_uri: 'https://elsewhere.example/' }
      for (const [name, value] of Object.entries(strange)) url.searchParams.set(name, value)
      return url
    }
    expect((await signIn(server, config, { build })).scope).toBe('openid profile offline_access api:read')
  })

  it('are good for one answer, and for their own client', async () => {
    const config = await discover(server, key)
    const url = await push(config)({ redirect_uri: callback, scope: 'openid', state: 's' })
    const foreign = new URL(url)
    foreign.searchParams.set('client_id', secret.client_id)
    const browser = new Browser(server.fetchFor())
    const statuses = []
    for (const address of [foreign, url, url]) {
      const { status, html } = await browser.open(address)
      statuses.push(status)
      if (status === 400) expect(html).toContain('invalid_request_uri')
    }
    expect(statuses).toEqual([400, 303, 400])
  })

  it('opened fifty times at once give one code', async () => {
    const config = await discover(server, key)
    const url = await push(config)({ redirect_uri: callback, scope: 'openid', state: 's' })
    const pages = await Promise.all(Array.from({ length: 50 }, () => new Browser(server.fetchFor()).open(url)))
    const codes = pages.filter(({ leftFor }) => leftFor?.searchParams.has('code'))
    const refused = pages.filter(({ status, html }) => status === 400 && html.includes('invalid_request_uri'))
    expect([codes.length, refused.length]).toEqual([1, 49])
  })

  it('with a DPoP proof bind the code to its key', async () => {
    const config = await discover(server, key)
    const newKey = async (): Promise<client.DPoPHandle> => client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
    const [own, other] = [await newKey(), await newKey()]
    const bound = { jkt: await own.calculateThumbprint() }
    const apiAt = whoami(server)
    await boundJourney({ server, party: key, config, bound, apiAt, DPoP: own, options: { build: push(config, own) } })
    const wrong = { status: 400, error: 'invalid_grant' }
    expect(await refusal(signIn(server, config, { build: push(config, own), DPoP: other }))).toEqual(wrong)
    expect(await refusal(signIn(server, config, { build: push(config, own) }))).toEqual(wrong)
    const parameters = { redirect_uri: callback, scope: 'openid', dpop_jkt: await other.calculateThumbprint() }
    expect(await refusal(push(config, own)(parameters))).toEqual({ status: 400, error: 'invalid_request' })
  })
})

describe('signed requests', () => {
  it.each(signing)('$client_id: in the query', async party => {
    const config = await discover(server, party)
    const seen: string[][] = []
    await journey(party, config, { build: seenIn(sign(config, party), seen) })
    for (const names of seen) expect(names).toEqual(['client_id', 'request'])
  })

  it.each(signing)('$client_id: pushed', async party => {
    const config = await discover(server, party)
    const seen: string[][] = []
    await journey(party, config, { build: seenIn(signAndPush(config, party), seen) })
    for (const names of seen) expect(names).toEqual(['client_id', 'request_uri'])
  })

  it('are signed with the client’s own key', async () => {
    const config = await discover(server, key)
    const parameters = { redirect_uri: callback, scope: 'openid', state: 's' }
    const refused = await refusal(signAndPush(config, strict)(parameters))
    expect(refused).toEqual({ status: 400, error: 'invalid_request_object' })
    const page = await new Browser(server.fetchFor()).open(await sign(config, strict)(parameters))
    expect(page.status).toBe(400)
    expect(page.html).toContain('invalid_request_object')
  })
})

describe('signed answers', () => {
  it.each(signing)('$client_id: to a request in the query', async party => {
    const config = await discover(server, party)
    client.useJwtResponseMode(config)
    await journey(party, config, jarm)
  })

  it.each(signing)('$client_id: to a request that was signed and pushed', async party => {
    const config = await discover(server, party)
    client.useJwtResponseMode(config)
    await journey(party, config, { ...jarm, build: signAndPush(config, party) })
  })

  it.each(['RS256', 'ES256', 'PS256', 'EdDSA'])('are signed %s where the client says so', async alg => {
    const party = registering(await keyParty(`wants-${alg}`), { authorization_signed_response_alg: alg })
    const keys = await serverKeys(['ES256', 'RS256', 'PS256', 'EdDSA'])
    const other = await startServer({ clients: [party], listeners: 'https', options: { keys } })
    const config = await discover(other, party)
    client.useJwtResponseMode(config)
    const browser = new Browser(other.fetchFor())
    let response = ''
    const browse = async (url: URL): Promise<URL> => {
      const answer = browser.finish(await browser.open(url))
      response = answer.searchParams.get('response') ?? ''
      return answer
    }
    await signIn(other, config, { ...jarm, browse })
    expect(decodeProtectedHeader(response).alg).toBe(alg)
    expect(decodeJwt(response)).toMatchObject({ iss: other.issuer, aud: party.client_id, code: expect.any(String) })
    await other.close()
  })

  it('are what errors come in, too', async () => {
    const config = await discover(server, key)
    client.useJwtResponseMode(config)
    const answer = signIn(server, config, { ...jarm, parameters: { scope: 'no-such-scope' } })
    await expect(answer).rejects.toMatchObject({ error: 'invalid_scope' })
  })

  it.each([false, true])('are posted by the browser where the client says so (signed: %s)', async signed => {
    const config = await discover(server, key)
    const pkceCodeVerifier = client.randomPKCECodeVerifier()
    const url = await push(config)({
      redirect_uri: callback,
      scope: 'openid',
      state: 's',
      response_mode: signed ? 'form_post.jwt' : 'form_post',
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256'
    })
    const page = await new Browser(server.fetchFor()).open(url)
    expect(page.status).toBe(200)
    expect(page.html).toContain(`<form method="post" action="${callback}">`)
    const fields = [...page.html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)]
    const body = new URLSearchParams(fields.map(([, name = '', value = '']): [string, string] => [name, value]))
    expect([...body.keys()].sort()).toEqual(signed ? ['response'] : ['code', 'iss', 'state'])
    if (signed) client.useJwtResponseMode(config)
    const posted = new Request(callback, { method: 'POST', body })
    const tokens = await client.authorizationCodeGrant(config, posted, { pkceCodeVerifier, expectedState: 's' })
    expect(tokens.claims()).toMatchObject({ aud: key.client_id })
  })
})

describe('a client that registered for all of it', () => {
  it('code, PKCE, userinfo, API, refresh', async () => {
    const config = await discover(server, strict)
    client.useJwtResponseMode(config)
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('PS256'))
    const bound = { jkt: await DPoP.calculateThumbprint() }
    const options = { ...jarm, build: signAndPush(config, strict, DPoP) }
    await boundJourney({ server, party: strict, config, bound, apiAt: whoami(server), DPoP, options })
    await codeAndRefresh(server, strict, config, { ...jarm, build: signAndPush(config, strict) })
  })

  it('cannot do less', async () => {
    const config = await discover(server, strict)
    client.useJwtResponseMode(config)
    const parameters = { redirect_uri: callback, scope: 'openid' }
    expect(await refusal(push(config)(parameters))).toEqual({ status: 400, error: 'invalid_request' })
    const unsigned = signIn(server, config, jarm)
    await expect(unsigned).rejects.toMatchObject({ error: 'invalid_request' })
    const page = await new Browser(server.fetchFor()).open(await sign(config, strict)(parameters))
    expect(page.leftFor?.searchParams.has('response')).toBe(true)
  })
})
