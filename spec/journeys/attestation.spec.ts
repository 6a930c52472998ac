/** Instances of a client that an attester vouches for, as openid-client makes their requests with clientele/client-auth, to a server that asks for challenges. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { attestJwt } from 'clientele/client-auth'
import { importJWK, type CryptoKey } from 'jose'
import * as client from 'openid-client'
import { attest, makeInstance, makeSigner } from '../support/clients/attestation.ts'
import type { Fetch } from '../support/journeys/fetch.ts'
import { startServer, type RunningServer } from '../support/journeys/server.ts'
import { startOpenidProvider, type OpenidProvider } from '../support/servers/openid-provider.ts'

const attester = await makeSigner()
const instance = await makeInstance()
const combined = { ...instance, client_id: 'combined' }
const attestation = (of = instance) => attest(attester, of, Math.floor(Date.now() / 1000))

const clients = [
  { client_id: 'wallet', token_endpoint_auth_method: 'attest_jwt_client_auth' },
  { client_id: 'combined', token_endpoint_auth_method: 'attest_jwt_client_auth_dpop' }
].map(metadata => ({ metadata: { grant_types: ['client_credentials'], ...metadata } }))

let server: RunningServer
beforeAll(async () => {
  const options = { attestation: { attesters: [{ jwks: { keys: [attester.jwk] } }], challenge: 'required' as const } }
  server = await startServer({ clients, listeners: 'https', options })
})
afterAll(() => server.close())

/** Keeps the challenge of every answer, as docs/attestation.md has it. */
function keepingChallenges() {
  let latest: string | undefined
  const fetch: Fetch = async (url, init) => {
    const response = await server.fetchFor()(url, init)
    latest = response.headers.get('OAuth-Client-Attestation-Challenge') ?? latest
    return response
  }
  return { fetch, challenge: () => latest }
}

function discover(client_id: string, auth: client.ClientAuth, fetch: Fetch): Promise<client.Configuration> {
  return client.discovery(new URL(server.issuer), client_id, undefined, auth, { [client.customFetch]: fetch })
}

const last = () => server.decisions.at(-1)

describe('openid-client with attestJwt', () => {
  it('learns the challenge from the first answer, and gets a token with the next request and every one after it', async () => {
    const { fetch, challenge } = keepingChallenges()
    const auth = attestJwt({ attestation: () => attestation(), key: instance.privateKey, challenge })
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- openid-client waits for it, though its type does not say so
    const config = await discover('wallet', auth, fetch)
    await expect(client.clientCredentialsGrant(config)).rejects.toMatchObject({ status: 400, error: 'use_attestation_challenge' })
    for (let request = 0; request < 2; request++) await client.clientCredentialsGrant(config)
    expect(last()).toMatchObject({ outcome: 'authenticated', method: 'attest_jwt_client_auth', client_id: 'wallet' })
  })

  it('asks for a challenge beforehand, where it would not lose a request', async () => {
    const { fetch, challenge } = keepingChallenges()
    const auth = attestJwt({ attestation: await attestation(), key: instance.privateKey, challenge })
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- openid-client waits for it, though its type does not say so
    const config = await discover('wallet', auth, fetch)
    await fetch(config.serverMetadata()['challenge_endpoint'] as string, { method: 'POST' })
    await client.clientCredentialsGrant(config)
    expect(last()).toMatchObject({ outcome: 'authenticated', client_id: 'wallet' })
  })

  it('proves it by DPoP alone, where the client is registered so', async () => {
    const { fetch } = keepingChallenges()
    const auth = attestJwt({ attestation: await attestation(combined) })
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- openid-client waits for it, though its type does not say so
    const config = await discover('combined', auth, fetch)
    const publicKey = (await importJWK(instance.jwk, 'ES256', { extractable: true })) as CryptoKey
    const DPoP = client.getDPoPHandle(config, { privateKey: instance.privateKey, publicKey })
    const tokens = await client.clientCredentialsGrant(config, undefined, { DPoP })
    expect(tokens.token_type).toBe('dpop')
    expect(last()).toMatchObject({ outcome: 'authenticated', method: 'attest_jwt_client_auth_dpop', client_id: 'combined' })
  })

  it('with another instance’s attestation is refused', async () => {
    const { fetch, challenge } = keepingChallenges()
    const other = await makeInstance()
    const auth = attestJwt({ attestation: await attestation(other), key: instance.privateKey, challenge })
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- openid-client waits for it, though its type does not say so
    const config = await discover('wallet', auth, fetch)
    await fetch(config.serverMetadata()['challenge_endpoint'] as string, { method: 'POST' })
    await expect(client.clientCredentialsGrant(config)).rejects.toMatchObject({ status: 401, error: 'invalid_client' })
  })
})

describe('oidc-provider, to the same client', () => {
  let provider: OpenidProvider
  beforeAll(async () => {
    const registered = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] }
    const wallets = clients.map(({ metadata }) => ({ ...metadata, ...registered }))
    provider = await startOpenidProvider(wallets, attester.jwk)
  })
  afterAll(() => provider.stop())

  /** Keeps the challenges of its answers too. */
  async function discovered(client_id: string, make: (challenge: () => string | undefined) => client.ClientAuth) {
    let latest: string | undefined
    const keeping: Fetch = async (url, init) => {
      const response = await fetch(url, init as RequestInit)
      latest = response.headers.get('OAuth-Client-Attestation-Challenge') ?? latest
      return response
    }
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the server is on this machine
    const options = { [client.customFetch]: keeping, execute: [client.allowInsecureRequests] }
    const auth = make(() => latest)
    const config = await client.discovery(new URL(provider.issuer), client_id, undefined, auth, options)
    return { config, keeping }
  }

  it('gives tokens for the attestation and the proof, once the challenge of its first answer is in it', async () => {
    const { config } = await discovered('wallet', challenge => {
      // eslint-disable-next-line @typescript-eslint/no-misused-promises -- openid-client waits for it, though its type does not say so
      return attestJwt({ attestation: () => attestation(), key: instance.privateKey, challenge })
    })
    await expect(client.clientCredentialsGrant(config)).rejects.toMatchObject({ status: 400, error: 'use_attestation_challenge' })
    for (let request = 0; request < 2; request++)
      expect((await client.clientCredentialsGrant(config)).access_token).toEqual(expect.any(String))
  })

  it('gives tokens for a challenge that was asked for beforehand', async () => {
    const { config, keeping } = await discovered('wallet', challenge => {
      // eslint-disable-next-line @typescript-eslint/no-misused-promises -- openid-client waits for it, though its type does not say so
      return attestJwt({ attestation: () => attestation(), key: instance.privateKey, challenge })
    })
    await keeping(config.serverMetadata()['challenge_endpoint'] as string, { method: 'POST' })
    expect((await client.clientCredentialsGrant(config)).access_token).toEqual(expect.any(String))
  })

  it('gives tokens for the attestation and a DPoP proof by the same key', async () => {
    const { config } = await discovered('combined', () => {
      // eslint-disable-next-line @typescript-eslint/no-misused-promises -- openid-client waits for it, though its type does not say so
      return attestJwt({ attestation: () => attestation(combined) })
    })
    const publicKey = (await importJWK(instance.jwk, 'ES256', { extractable: true })) as CryptoKey
    const DPoP = client.getDPoPHandle(config, { privateKey: instance.privateKey, publicKey })
    const { token_type } = await client.clientCredentialsGrant(config, undefined, { DPoP })
    expect(token_type.toLowerCase()).toBe('dpop')
  })

  it('refuses the attestation of another instance', async () => {
    const other = await makeInstance()
    const { config, keeping } = await discovered('wallet', challenge => {
      // eslint-disable-next-line @typescript-eslint/no-misused-promises -- openid-client waits for it, though its type does not say so
      return attestJwt({ attestation: () => attestation(other), key: instance.privateKey, challenge })
    })
    await keeping(config.serverMetadata()['challenge_endpoint'] as string, { method: 'POST' })
    await expect(client.clientCredentialsGrant(config)).rejects.toMatchObject({ status: 401, error: 'invalid_client' })
  })
})
