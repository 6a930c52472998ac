/** ML-DSA (RFC 9964) wherever something is signed, where this Node has it; and what is said where it has not. Nothing here is left out on either. */
import { describe, expect, it } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import { compactVerify, createLocalJWKSet, decodeJwt, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import request from 'supertest'
import {
  ConfigurationError,
  generateKeys,
  type AuthorizationServerOptions,
  type ClientMetadata,
  type Decision
} from '../../lib/index.ts'
import { mlDsaAlgorithms, supportedMlDsa } from '../../lib/crypto/ml-dsa.ts'
import { isPublicKey, unsuitable } from '../../lib/client-keys/public-keys.ts'
import { attested, makeInstance, makeSigner } from '../support/clients/attestation.ts'
import { makeDpopKey, prove } from '../support/clients/dpop.ts'
import { outcome, send } from '../support/servers/attested.ts'
import {
  authorizationQuery,
  callback,
  code_challenge,
  code_verifier,
  harness,
  issuer,
  redirected
} from '../support/servers/authorization-server.ts'

const now = 1_800_000_000
const machine = { grant_type: 'client_credentials' }
const jwtBearer = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const registered = { grant_types: ['client_credentials'], response_types: [] }
const supported = supportedMlDsa.length > 0

async function server(clients: readonly ClientMetadata[], options: Partial<AuthorizationServerOptions> = {}) {
  const decisions: Decision[] = []
  const h = await harness({ clients, onDecision: decision => decisions.push(decision), ...options })
  return { ...h, decisions }
}

function claimsOf(client_id: string) {
  return { iss: client_id, sub: client_id, aud: issuer, jti: randomUUID(), iat: now, exp: now + 60 }
}

function onThisNode() {
  it.each(mlDsaAlgorithms)('%s signs assertions, whose key is found by what it is', async alg => {
    const { privateKey, publicKey } = await generateKeyPair(alg)
    const jwk = await exportJWK(publicKey)
    const client = { client_id: 'pq', token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: alg }
    const { app, decisions } = await server([{ ...client, jwks: { keys: [jwk] }, ...registered }])
    const client_assertion = await new SignJWT(claimsOf('pq')).setProtectedHeader({ alg }).sign(privateKey)
    const form = { ...machine, client_assertion_type: jwtBearer, client_assertion }
    expect(outcome(await send(app, form, {}))).toBe('200')
    expect(decisions.at(-1)?.credential).toMatch(/^jkt:[\w-]{43}$/)
    const stranger = await new SignJWT(claimsOf('pq')).setProtectedHeader({ alg }).sign((await generateKeyPair(alg)).privateKey)
    expect(outcome(await send(app, { ...form, client_assertion: stranger }, {}))).toBe('401 invalid_client')
  })

  it.each(mlDsaAlgorithms)('%s signs DPoP proofs, and tokens are bound to its key', async alg => {
    const key = await makeDpopKey(alg)
    const { app } = await server([{ client_id: 'pq', client_secret: 'secret of pq', ...registered }])
    const DPoP = await prove(key, 'POST', `${issuer}/oauth2/token`, now * 1000)
    const Authorization = `Basic ${Buffer.from('pq:secret+of+pq').toString('base64')}`
    const { body } = await send(app, machine, { DPoP, Authorization })
    expect(body).toMatchObject({ token_type: 'DPoP' })
  })

  it.each(mlDsaAlgorithms)('%s signs attestations and their proofs', async alg => {
    const [attester, wallet] = [await makeSigner(alg), await makeInstance('wallet', alg)]
    const client = { client_id: 'wallet', token_endpoint_auth_method: 'attest_jwt_client_auth', ...registered }
    const { app } = await server([client], { attestation: { attesters: [{ jwks: { keys: [attester.jwk] } }] } })
    // the largest of them are more than Node takes of headers unless it is told to
    const headers = await attested(attester, wallet, { aud: issuer, now })
    const size = Object.values(headers).join('').length
    if (size < 15_000) expect(outcome(await send(app, machine, headers))).toBe('200')
    else expect((await send(app, machine, headers).catch(() => ({ status: 431 }))).status).toBe(431)
  })

  it('signs request objects', async () => {
    const alg = 'ML-DSA-65'
    const { privateKey, publicKey } = await generateKeyPair(alg)
    const jwks = { keys: [await exportJWK(publicKey)] }
    const { app } = await server([
      { client_id: 'web', client_secret: 'secret of web', redirect_uris: [callback], request_object_signing_alg: alg, jwks }
    ])
    const asked = Object.fromEntries(new URLSearchParams(authorizationQuery({ scope: 'openid' })))
    const signing = new SignJWT({ ...asked, iss: 'web', aud: issuer, nbf: now, exp: now + 60 }).setProtectedHeader({ alg })
    const query = new URLSearchParams({ client_id: 'web', request: await signing.sign(privateKey) })
    expect(redirected(await request(app).get(`/oauth2/authorize?${query.toString()}`))).toHaveProperty('code')
  })

  it('signs what this server issues, and anyone verifies it with the published key', async () => {
    const alg = 'ML-DSA-44'
    const { app } = await server(
      [{ client_id: 'web', client_secret: 'secret of web', redirect_uris: [callback], id_token_signed_response_alg: alg }],
      {
        keys: await generateKeys(['RS256', alg]),
        idTokenAlgorithms: ['RS256', alg],
        resources: [{ resource: 'https://api.example.com', scopes: ['api:read'], signingAlgorithm: alg }]
      }
    )
    const query = authorizationQuery({ scope: 'openid api:read', resource: 'https://api.example.com', code_challenge })
    const { code = '' } = redirected(await request(app).get(`/oauth2/authorize?${query}`))
    const form = { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier }
    const Authorization = `Basic ${Buffer.from('web:secret+of+web').toString('base64')}`
    const { body } = await send(app, form, { Authorization })
    const { id_token, access_token } = body as { id_token: string; access_token: string }
    const jwks = createLocalJWKSet((await request(app).get('/oauth2/jwks')).body as { keys: [] })
    const { payload, protectedHeader } = await jwtVerify(id_token, jwks, { currentDate: new Date(now * 1000) })
    expect([protectedHeader.alg, payload['at_hash']]).toEqual([alg, expect.stringMatching(/^[\w-]{43}$/)])
    await compactVerify(access_token, jwks)
    expect(decodeJwt(access_token)).toMatchObject({ client_id: 'web' })
    const api = await request(app).get('/any-api').set('Authorization', `Bearer ${access_token}`)
    expect(api.status).toBe(200)
  })
}

function onOlderNodes() {
  const why = `ML-DSA-65 needs Node 24.7 or later, and this is Node ${process.versions.node}`
  const method = { client_id: 'pq', token_endpoint_auth_method: 'private_key_jwt' }
  const jwks = { keys: [{ kty: 'AKP', alg: 'ML-DSA-65', pub: 'AAAA' }] }

  it('a client that is registered for it stops the start, and says which Node it needs', async () => {
    const client = { ...method, jwks, request_object_signing_alg: 'ML-DSA-65', ...registered }
    await expect(server([client])).rejects.toThrow(why)
  })

  it('keys for it are not made, and not taken', async () => {
    await expect(generateKeys(['ML-DSA-65'])).rejects.toThrow(ConfigurationError)
    const { keys } = await generateKeys(['ES256'])
    const foreign = { kty: 'AKP', alg: 'ML-DSA-65', kid: 'pq', pub: 'AAAA', priv: 'AAAA' }
    await expect(server([], { keys: { keys: [...keys, foreign] } })).rejects.toThrow(why)
  })

  it('an assertion is refused, and the operator told which Node it needs', async () => {
    const { app, decisions } = await server([{ ...method, jwks, ...registered }])
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const client_assertion = `${part({ alg: 'ML-DSA-65' })}.${part(claimsOf('pq'))}.AAAA`
    const form = { ...machine, client_assertion_type: jwtBearer, client_assertion }
    expect(outcome(await send(app, form, {}))).toBe('401 invalid_client')
    const failed = decisions.at(-1)?.checks.find(({ outcome }) => outcome === 'fail')
    expect(failed).toMatchObject({ check: 'algorithm', fix: expect.stringContaining(why) })
  })
}

describe('ML-DSA', () => {
  ;(supported ? onThisNode : onOlderNodes)()

  it('is there from Node 24.7 on', () => {
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
    expect(supported).toBe(major > 24 || (major === 24 && minor >= 7))
  })

  it('has a private part that is told from a public one', () => {
    expect(isPublicKey({ kty: 'AKP', alg: 'ML-DSA-65', pub: 'AAAA' })).toBe(true)
    expect(isPublicKey({ kty: 'AKP', alg: 'ML-DSA-65', pub: 'AAAA', priv: 'AAAA' })).toBe(false)
    expect(unsuitable({ kty: 'AKP', pub: 'AAAA' }, 'ES256')).toBe('has another kty than EC')
  })
})
