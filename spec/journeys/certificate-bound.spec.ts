/** Certificate-bound access tokens (RFC 8705 §3) through the aliases of a second listener, for every kind of client that can have them. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import * as client from 'openid-client'
import { makeCertificate } from '../support/certificates/certificates.ts'
import { apiStatus, boundJourney, certificateBound, confirmationOf, holdingCertificate } from '../support/journeys/bound.ts'
import {
  api,
  authorityParty,
  clientAuthority,
  keyParty,
  publicParty,
  secretParty,
  selfSignedParty
} from '../support/journeys/clients.ts'
import { callApi, clientAuth, discover, refusal, signIn, whoami } from '../support/journeys/openid-client.ts'
import { alice, startServer, type RunningServer } from '../support/journeys/server.ts'

const authority = certificateBound(authorityParty('authority'))
const selfSigned = certificateBound(selfSignedParty('self-signed'))
const key = certificateBound(holdingCertificate(await keyParty('key')))
const secret = certificateBound(holdingCertificate(secretParty('client_secret_basic', 'secret')))
const open = certificateBound(holdingCertificate(publicParty('public')))
/** Authenticates with a certificate, and registered nothing about its tokens. */
const unbound = authorityParty('unbound')
const parties = [authority, selfSigned, key, secret, open]
/** Clients whose authentication does not depend on the certificate. */
const beside = [key, secret, open]

let server: RunningServer

beforeAll(async () => {
  server = await startServer({ clients: [...parties, unbound], listeners: 'aliases' })
})
afterAll(() => server.close())

describe('certificate-bound tokens', () => {
  it.each(parties)('$method: code, PKCE, userinfo, API, refresh, through the aliases', async party => {
    const { fetch, sent } = server.recordingFor(party)
    const config = await discover(server, party, { fetch })
    const bound = { 'x5t#S256': party.certificate.thumbprint }
    await boundJourney({ server, party, config, bound, apiAt: whoami(server, 'mtls') })
    const called = new Set(sent.map(({ url }) => url).filter(url => !/jwks|well-known/.test(url)))
    expect([...called]).toEqual(['/oauth2/token', '/oauth2/userinfo', '/api/whoami'].map(path => `${server.mtlsOrigin}${path}`))
  })

  it.each(parties.filter(({ method }) => method !== 'none'))('$method: client credentials', async party => {
    const config = await discover(server, party)
    const { access_token } = await client.clientCredentialsGrant(config, { scope: 'api:read', resource: api })
    expect(await confirmationOf(server, access_token)).toEqual({ 'x5t#S256': party.certificate.thumbprint })
    expect(await callApi(config, whoami(server, 'mtls'), access_token)).toMatchObject({ sub: party.client_id })
  })

  it('are in the metadata', async () => {
    const metadata = (await discover(server, key)).serverMetadata()
    expect(metadata.tls_client_certificate_bound_access_tokens).toBe(true)
    const plain = await startServer({ clients: [] })
    const discovered = await (await plain.fetchFor()(`${plain.issuer}/.well-known/oauth-authorization-server`)).json()
    expect(discovered).not.toHaveProperty('tls_client_certificate_bound_access_tokens')
    expect(discovered).not.toHaveProperty('mtls_endpoint_aliases')
    await plain.close()
  })

  it('are for those who registered for them', async () => {
    const config = await discover(server, unbound)
    const { access_token } = await signIn(server, config)
    expect(await confirmationOf(server, access_token)).toBeUndefined()
    expect(await apiStatus(server.fetchFor(), whoami(server), `Bearer ${access_token}`)).toBe(200)
  })
})

describe('a token bound to a certificate and to a key', () => {
  it('needs both', async () => {
    const config = await discover(server, key)
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
    const bound = { 'x5t#S256': key.certificate.thumbprint, jkt: await DPoP.calculateThumbprint() }
    await boundJourney({ server, party: key, config, bound, apiAt: whoami(server, 'mtls'), DPoP })
    const { access_token } = await signIn(server, config, { DPoP })
    const refused = { status: 401, error: 'invalid_token' }
    expect(await refusal(callApi(config, whoami(server, 'mtls'), access_token))).toEqual(refused)
    expect(await refusal(callApi(config, whoami(server), access_token, DPoP))).toEqual(refused)
  })
})

describe('a certificate-bound token', () => {
  it.each(parties)("$method: is worth nothing with another client's certificate, or none", async party => {
    const { access_token } = await signIn(server, await discover(server, party), { parameters: { resource: api } })
    const presented = `Bearer ${access_token}`
    const others = parties.filter(other => other !== party)
    for (const fetch of [...others.map(other => server.fetchFor(other)), server.fetchFor()]) {
      expect(await apiStatus(fetch, whoami(server, 'mtls'), presented)).toBe(401)
      const userinfo = new URL(`${server.mtlsOrigin}/oauth2/userinfo`)
      expect(await apiStatus(fetch, userinfo, presented)).toBe(401)
    }
    // the other listener asks for no certificate, so it can be shown none
    expect(await apiStatus(server.fetchFor(party), whoami(server), presented)).toBe(401)
    expect(await apiStatus(server.fetchFor(party), whoami(server, 'mtls'), presented)).toBe(200)
  })

  it('is worth nothing with the same name in another certificate', async () => {
    const { access_token } = await signIn(server, await discover(server, authority))
    const namesake = { ...authority, certificate: authorityParty(authority.client_id).certificate }
    expect(await apiStatus(server.fetchFor(namesake), whoami(server, 'mtls'), `Bearer ${access_token}`)).toBe(401)
  })

  it.each(beside)('$method: is not issued where there is no certificate', async party => {
    const nothingShown = await discover(server, party, { fetch: server.fetchFor() })
    expect(await refusal(signIn(server, nothingShown))).toEqual({ status: 400, error: 'invalid_request' })
  })

  it.each([authority, selfSigned])('$method: is not issued, for nobody is authenticated without a certificate', async party => {
    const nothingShown = await discover(server, party, { fetch: server.fetchFor() })
    expect(await refusal(signIn(server, nothingShown))).toEqual({ status: 401, error: 'invalid_client' })
  })
})

describe('its refresh token', () => {
  const wrong = { status: 400, error: 'invalid_grant' }

  it.each(beside)('$method: is bound to the certificate as well', async party => {
    const config = await discover(server, party)
    const { refresh_token = '' } = await signIn(server, config)
    const stranger = holdingCertificate(party, makeCertificate({ subject: party.client_id, issuer: clientAuthority }))
    const elsewhere = await discover(server, party, { fetch: server.fetchFor(stranger) })
    expect(await refusal(client.refreshTokenGrant(elsewhere, refresh_token))).toEqual(wrong)
    const nothingShown = await discover(server, party, { fetch: server.fetchFor() })
    const refused = await refusal(client.refreshTokenGrant(nothingShown, refresh_token))
    expect(refused).toEqual({ status: 400, error: 'invalid_request' })
    // neither attempt cost its owner anything
    const { access_token } = await client.refreshTokenGrant(config, refresh_token)
    expect(await callApi(config, whoami(server, 'mtls'), access_token)).toMatchObject({ sub: alice })
  })

  it.each([authority, selfSigned])('$method: is its client’s alone', async party => {
    const config = await discover(server, party)
    const { refresh_token = '' } = await signIn(server, config)
    const other = party === authority ? selfSigned : authority
    expect(await refusal(client.refreshTokenGrant(await discover(server, other), refresh_token))).toEqual(wrong)
    const impostor = await discover(server, party, { auth: clientAuth(other), fetch: server.fetchFor(other) })
    expect(await refusal(client.refreshTokenGrant(impostor, refresh_token))).toEqual({ status: 401, error: 'invalid_client' })
    const { access_token } = await client.refreshTokenGrant(config, refresh_token)
    expect(await callApi(config, whoami(server, 'mtls'), access_token)).toMatchObject({ sub: alice })
  })

  it('stays with the certificate when the client gets another one of the same name', async () => {
    const { refresh_token = '' } = await signIn(server, await discover(server, authority))
    const renewed = holdingCertificate(authority, authorityParty(authority.client_id).certificate)
    expect(await refusal(client.refreshTokenGrant(await discover(server, renewed), refresh_token))).toEqual(wrong)
  })
})
