import { describe, expect, it } from '@jest/globals'
import {
  authorizationCode,
  ciba,
  clientCredentials,
  deviceCode,
  refreshToken,
  type AuthorizationServerOptions
} from '../../../lib/index.ts'
import { callback } from '../../support/servers/authorization-server.ts'
import { refusalOf, register, registrationHarness, send, web } from '../../support/servers/registration.ts'
import { invalid, refusal } from './rules.ts'

const cibaGrant = 'urn:openid:params:grant-type:ciba'

describe('a sector identifier', () => {
  const served = async (json: unknown) => {
    const fetched: string[] = []
    const fetchJson = (url: string) => {
      fetched.push(url)
      return json instanceof Error ? Promise.reject(json) : Promise.resolve({ json })
    }
    return { fetched, ...(await registrationHarness({}, { fetchJson })) }
  }
  const sector_identifier_uri = 'https://client.example.com/sector.json'
  const client = { ...web, sector_identifier_uri }

  it('is kept when its document lists every redirect URI', async () => {
    const { app, fetched } = await served([`${callback}/other`, callback])
    expect(await register(app, client)).toMatchObject({ sector_identifier_uri })
    expect(fetched).toEqual([sector_identifier_uri])
  })

  it.each<[string, unknown, string]>([
    ['lists another', [`${callback}/`], 'sector_identifier_uri must name a document that lists redirect_uris[0]'],
    ['is no list', { redirect_uris: [callback] }, 'sector_identifier_uri must name a JSON list of redirect URIs'],
    ['cannot be fetched', new Error('ECONNREFUSED 10.0.0.7'), 'sector_identifier_uri must name a document this server can fetch']
  ])('is refused when its document %s', async (_, json, words) => {
    const { app } = await served(json)
    expect(refusalOf(await send(app, client))).toEqual({
      status: 400,
      error: 'invalid_client_metadata',
      error_description: words
    })
  })

  it('is not fetched for a client that is refused anyway', async () => {
    const { app, fetched } = await served([callback])
    expect((await send(app, { ...client, grant_types: ['password'] })).status).toBe(400)
    expect(fetched).toEqual([])
  })
})

describe('a pairwise client', () => {
  const pairwise = { subject_type: 'pairwise', redirect_uris: ['https://a.example/1', 'https://a.example/2'] }

  it('whose redirect URIs are on one host needs no sector identifier, on several it does (OpenID Connect Core §8.1)', () => {
    expect(refusal(pairwise)).toBe('accepted')
    expect(refusal({ redirect_uris: ['https://a.example/', 'https://b.example/'] })).toBe('accepted')
    const several = { ...pairwise, redirect_uris: ['https://a.example/', 'https://b.example/'] }
    expect(refusal(several)).toEqual(invalid('sector_identifier_uri must be given'))
    expect(refusal({ ...several, sector_identifier_uri: 'https://c.example/' })).toBe('accepted')
  })

  it('is one only where the server makes pairwise identifiers', async () => {
    const { app } = await registrationHarness()
    expect((await send(app, { ...web, subject_type: 'pairwise' })).body.error_description).toBe(
      'subject_type must be one of public'
    )
    const able = await registrationHarness({}, { pairwiseSecret: 'a secret of thirty-two bytes and more' })
    expect(await register(able.app, { ...web, subject_type: 'pairwise' })).toMatchObject({ subject_type: 'pairwise' })
  })

  it.each(['http://localhost/s', 'http://client.example/s', 'https://u@client.example/s', 'https://client.example/s#f'])(
    'has no sector identifier %s',
    uri => {
      expect(refusal({ ...pairwise, sector_identifier_uri: uri }, { loopback: true })).toEqual(
        invalid('sector_identifier_uri must be an https URL')
      )
    }
  )
})

describe('the sector of somebody else', () => {
  const victim = 'https://victim.example/sector.json'
  const listed = ['https://victim.example/cb']
  const device = 'urn:ietf:params:oauth:grant-type:device_code'
  const options: Partial<AuthorizationServerOptions> = {
    pairwiseSecret: 'a secret of thirty-two bytes and more',
    fetchJson: () => Promise.resolve({ json: listed }),
    tokenIssuers: [authorizationCode(), refreshToken(), clientCredentials(), deviceCode(), ciba()],
    deviceAuthorization: { verificationUri: 'https://as.example.com/device' },
    backchannelAuthentication: { identify: () => undefined }
  }
  const thief = { subject_type: 'pairwise', sector_identifier_uri: victim }
  const keys = { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://thief.example/jwks' }

  it.each<[string, object, string]>([
    ['without redirect URIs', { ...thief, grant_types: [device] }, 'jwks_uri must be given'],
    [
      'with keys it does not list',
      { ...thief, ...keys, grant_types: [device] },
      'sector_identifier_uri must name a document that lists jwks_uri'
    ],
    [
      'with its redirect URIs, beside a grant without redirects',
      { ...thief, redirect_uris: listed, grant_types: ['authorization_code', device] },
      'jwks_uri must be given'
    ],
    [
      'by redirect URIs that no grant uses',
      { subject_type: 'pairwise', redirect_uris: listed, grant_types: [device] },
      'jwks_uri must be given'
    ],
    [
      'by keys that it need not have',
      { ...thief, jwks_uri: 'https://victim.example/cb', grant_types: [device] },
      'jwks_uri must be given, and prove the client'
    ],
    [
      'by redirect URIs beside keys elsewhere',
      { subject_type: 'pairwise', redirect_uris: listed, ...keys, grant_types: ['authorization_code', device] },
      'sector_identifier_uri must be given, unless redirect_uris and jwks_uri are at one host'
    ],
    [
      'by pushing elsewhere',
      {
        ...thief,
        grant_types: [cibaGrant],
        backchannel_token_delivery_mode: 'push',
        backchannel_client_notification_endpoint: 'https://thief.example/ciba'
      },
      'sector_identifier_uri must name a document that lists backchannel_client_notification_endpoint'
    ],
    ['by polling without keys', { ...thief, grant_types: [cibaGrant] }, 'jwks_uri must be given']
  ])('is not had %s', async (_, document, words) => {
    const { app } = await registrationHarness({}, options)
    expect((await send(app, document)).body).toEqual({
      error: 'invalid_client_metadata',
      error_description: expect.stringContaining(words)
    })
  })

  it('is the client’s own where the list has what is its own', async () => {
    const own = 'https://client.example/jwks'
    const { app } = await registrationHarness({}, { ...options, fetchJson: () => Promise.resolve({ json: [own] }) })
    const client = { ...keys, jwks_uri: own, subject_type: 'pairwise', grant_types: [device] }
    expect(await register(app, client)).toMatchObject({ jwks_uri: own })
    expect(await register(app, { ...client, sector_identifier_uri: 'https://client.example/s.json' })).toMatchObject(client)
  })
})
