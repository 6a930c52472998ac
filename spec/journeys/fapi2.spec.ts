/** `profile: 'fapi2-security'`: the FAPI 2.0 Security Profile in its four variants, with OpenID and without, and what it refuses. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { decodeProtectedHeader, exportJWK, generateKeyPair, importJWK, type CryptoKey } from 'jose'
import * as client from 'openid-client'
import { visit } from '../support/journeys/browser.ts'
import { boundJourney, certificateBound, confirmationOf, holdingCertificate, registering } from '../support/journeys/bound.ts'
import { authorityParty, keyParty, type CertificateParty, type KeyParty } from '../support/journeys/clients.ts'
import { callApi, clientAuth, discover, refusal, signIn, whoami } from '../support/journeys/openid-client.ts'
import { push } from '../support/journeys/requests.ts'
import { startServer, type RunningServer } from '../support/journeys/server.ts'
import { serverKeys } from '../support/keys/made-keys.ts'

const dpop = { dpop_bound_access_tokens: true }
const keyDpop = registering(await keyParty('key-dpop', 'PS256'), dpop)
const keyCertificate = certificateBound(holdingCertificate(await keyParty('key-certificate')))
const tlsDpop = registering(authorityParty('tls-dpop'), dpop)
const tlsCertificate = certificateBound(authorityParty('tls-certificate'))
/** The second client of each kind. */
const others = {
  keyDpop: registering(await keyParty('other-key-dpop', 'Ed25519'), dpop),
  tlsCertificate: certificateBound(authorityParty('other-tls-certificate'))
}
const variants: readonly (KeyParty | CertificateParty)[] = [keyDpop, keyCertificate, tlsDpop, tlsCertificate]
const invalidClient = { status: 401, error: 'invalid_client' }
const invalidGrant = { status: 400, error: 'invalid_grant' }

let server: RunningServer

beforeAll(async () => {
  const keys = await serverKeys(['PS256', 'ES256', 'EdDSA'])
  server = await startServer({
    clients: [...variants, ...Object.values(others)],
    listeners: 'aliases',
    options: { profile: 'fapi2-security', keys, requireDpopNonce: true }
  })
})
afterAll(() => server.close())

async function newKey(config: client.Configuration, alg = 'ES256'): Promise<client.DPoPHandle> {
  return client.getDPoPHandle(config, await client.randomDPoPKeyPair(alg))
}

/** A party's configuration, and the DPoP key its tokens are bound to if they are. */
async function setUp(
  party: KeyParty | CertificateParty
): Promise<{ config: client.Configuration; given: { readonly DPoP?: client.DPoPHandle } }> {
  const config = await discover(server, party)
  return { config, given: party.metadata.dpop_bound_access_tokens === true ? { DPoP: await newKey(config) } : {} }
}

describe('the flow', () => {
  it.each(variants.flatMap(party => [true, false].map(openid => ({ party, name: party.client_id, openid }))))(
    '$name (OpenID Connect: $openid): code, PKCE, userinfo, API, refresh',
    async ({ party, openid }) => {
      const { config, given } = await setUp(party)
      const bound = given.DPoP
        ? { jkt: await given.DPoP.calculateThumbprint() }
        : { 'x5t#S256': 'certificate' in party ? party.certificate.thumbprint : '' }
      const options = { build: push(config), openid }
      const apiAt = whoami(server, given.DPoP ? 'main' : 'mtls')
      await boundJourney({ server, party, config, bound, apiAt, options, ...given })
    }
  )

  it.each([keyDpop, tlsDpop])('$client_id: the code may be asked for with the key already', async party => {
    const { config, given } = await setUp(party)
    await signIn(server, config, { build: push(config, given.DPoP), ...given })
    const stolen = signIn(server, config, { build: push(config, given.DPoP), DPoP: await newKey(config) })
    expect(await refusal(stolen)).toEqual(invalidGrant)
  })

  it('private_key_jwt with certificate-bound tokens pushes without a certificate', async () => {
    const { metadata, client_id, method, key } = keyCertificate
    const withoutCertificate = await discover(server, { metadata, client_id, method, key })
    await signIn(server, await discover(server, keyCertificate), { build: push(withoutCertificate) })
  })

  it('signs ID Tokens PS256, and no other way FAPI does not name', async () => {
    const { config, given } = await setUp(keyDpop)
    const { id_token = '' } = await signIn(server, config, { build: push(config), ...given })
    expect(decodeProtectedHeader(id_token).alg).toBe('PS256')
  })

  it('refreshes with a new key, and keeps the refresh token', async () => {
    const { config, given } = await setUp(keyDpop)
    const { refresh_token = '' } = await signIn(server, config, { build: push(config), ...given })
    const second = await newKey(config, 'PS256')
    const refreshed = await client.refreshTokenGrant(config, refresh_token, {}, { DPoP: second })
    expect(refreshed.refresh_token).toBe(refresh_token)
    expect(await confirmationOf(server, refreshed.access_token)).toEqual({ jkt: await second.calculateThumbprint() })
    await callApi(config, whoami(server), refreshed.access_token, second)
  })

  it('is all in the metadata', async () => {
    const fapi = ['PS256', 'ES256', 'EdDSA', 'Ed25519']
    const metadata = (await discover(server, keyDpop)).serverMetadata()
    expect(metadata).toMatchObject({
      authorization_response_iss_parameter_supported: true,
      code_challenge_methods_supported: ['S256'],
      dpop_signing_alg_values_supported: fapi,
      id_token_signing_alg_values_supported: ['PS256', 'ES256', 'EdDSA'],
      require_pushed_authorization_requests: true,
      response_types_supported: ['code'],
      tls_client_certificate_bound_access_tokens: true,
      token_endpoint_auth_methods_supported: ['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'],
      token_endpoint_auth_signing_alg_values_supported: fapi
    })
    expect(metadata.grant_types_supported).toContain('refresh_token')
  })
})

describe('what has not been pushed', () => {
  it('is refused, and the client is told', async () => {
    const { config, given } = await setUp(keyDpop)
    await expect(signIn(server, config, given)).rejects.toMatchObject({ error: 'invalid_request' })
  })
})

describe('G2, G3: a client assertion', () => {
  /** Signs in with an assertion of one's own at the token endpoint. Everything before it is right. */
  async function withAssertion(auth: client.ClientAuth): Promise<unknown> {
    const { config, given } = await setUp(keyDpop)
    const wrong = await discover(server, keyDpop, { auth })
    const atToken = await refusal(signIn(server, wrong, { build: push(config), ...given }))
    expect(await refusal(push(wrong)({ scope: 'openid' }))).toEqual(atToken)
    return atToken
  }

  it('signed RS256, even with the key that is registered, is invalid_client', async () => {
    const { publicKey, privateKey } = await generateKeyPair('PS256', { extractable: true })
    const kid = 'rsa'
    const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid, use: 'sig' }] }
    const party = registering(await keyParty('rsa', 'PS256'), { jwks, ...dpop, token_endpoint_auth_signing_alg: undefined })
    const other = await startServer({
      clients: [party],
      listeners: 'https',
      options: { profile: 'fapi2-security', keys: await serverKeys(['PS256']) }
    })
    const signedWith = async (alg: string): Promise<client.Configuration> => {
      const key = (await importJWK(await exportJWK(privateKey), alg)) as CryptoKey
      return discover(other, party, { auth: client.PrivateKeyJwt({ key, kid }) })
    }
    const [good, bad] = [await signedWith('PS256'), await signedWith('RS256')]
    const DPoP = await newKey(good)
    await client.clientCredentialsGrant(good, {}, { DPoP })
    expect(await refusal(client.clientCredentialsGrant(bad, {}, { DPoP }))).toEqual(invalidClient)
    expect(await refusal(signIn(other, bad, { build: push(good), DPoP }))).toEqual(invalidClient)
    await other.close()
  })

  it('that is missing is invalid_client', async () => {
    expect(await withAssertion(client.None())).toEqual(invalidClient)
  })

  it.each<[string, (claims: Record<string, unknown>) => void]>([
    ['expired five minutes ago', claims => void (claims['exp'] = Math.floor(Date.now() / 1000) - 300)],
    ['is for somebody else', claims => void (claims['aud'] = 'https://elsewhere.example')],
    ['is for the token endpoint', claims => void (claims['aud'] = `${server.issuer}/oauth2/token`)],
    [
      'is for the issuer and the token endpoint',
      claims => void (claims['aud'] = [server.issuer, `${server.issuer}/oauth2/token`])
    ],
    ['has no sub', claims => void (claims['sub'] = undefined)]
  ])('that %s is invalid_client', async (_name, change) => {
    const auth = client.PrivateKeyJwt(keyDpop.key, { [client.modifyAssertion]: (_header, claims) => change(claims) })
    expect(await withAssertion(auth)).toEqual(invalidClient)
  })
})

describe('G4, G5: a code', () => {
  it.each<[string, KeyParty | CertificateParty, KeyParty | CertificateParty]>([
    ['private_key_jwt', keyDpop, others.keyDpop],
    ['tls_client_auth', tlsCertificate, others.tlsCertificate]
  ])('%s: is worth nothing to another client', async (_method, first, second) => {
    const { config, given } = await setUp(first)
    const theirs = await discover(server, second)
    expect(await refusal(signIn(server, theirs, { build: push(config), ...given }))).toEqual(invalidGrant)
    // nor to another client that takes the first one's credential for its own
    const impostor = await discover(server, second, { auth: clientAuth(first), fetch: server.fetchFor(first) })
    expect(await refusal(signIn(server, impostor, { build: push(config), ...given }))).toEqual(invalidClient)
  })

  it('is spent with its first use, and its token with the second', async () => {
    const { config, given } = await setUp(keyDpop)
    const pkceCodeVerifier = client.randomPKCECodeVerifier()
    const request = await push(config)({
      redirect_uri: 'https://client.example/callback',
      scope: 'api:read',
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256'
    })
    const answer = await visit(server.fetchFor(), request)
    const redeem = (): Promise<client.TokenEndpointResponse> =>
      client.authorizationCodeGrant(config, answer, { pkceCodeVerifier }, {}, given)
    const { access_token } = await redeem()
    await callApi(config, whoami(server), access_token, given.DPoP)
    expect(await refusal(redeem())).toEqual(invalidGrant)
    expect(await refusal(callApi(config, whoami(server), access_token, given.DPoP))).toMatchObject({ status: 401 })
  })
})

describe('G8: a token request that proves nothing', () => {
  it.each([keyDpop, tlsDpop])('$client_id: no DPoP proof', async party => {
    const config = await discover(server, party)
    const refused = { status: 400, error: 'invalid_dpop_proof' }
    expect(await refusal(signIn(server, config, { build: push(config) }))).toEqual(refused)
    expect(await refusal(client.clientCredentialsGrant(config))).toEqual(refused)
  })

  it.each([
    { party: keyCertificate, refused: { status: 400, error: 'invalid_request' } },
    { party: tlsCertificate, refused: invalidClient }
  ])('$party.client_id: no certificate', async ({ party, refused }) => {
    const config = await discover(server, party)
    const nothingShown = await discover(server, party, { fetch: server.fetchFor() })
    const { refresh_token = '' } = await signIn(server, config, { build: push(config) })
    expect(await refusal(signIn(server, nothingShown, { build: push(config) }))).toEqual(refused)
    expect(await refusal(client.refreshTokenGrant(nothingShown, refresh_token))).toEqual(refused)
  })
})
