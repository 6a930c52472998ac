/** attestJwt() of clientele/client-auth: the two headers, what the proof says, and what it is never made of. */
import { describe, expect, it } from '@jest/globals'
import { attestJwt, ClientAuthenticationError, type AttestJwtOptions } from 'clientele/client-auth'
import { decodeProtectedHeader, jwtVerify } from 'jose'
import { keyPair } from '../support/keys/made-keys.ts'

const issuer = 'https://as.example'
const attestation = 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln'
const { privateKey: key, publicKey } = await keyPair('ES256')

async function sentBy(options: Partial<AttestJwtOptions>) {
  const body = new URLSearchParams()
  const headers = new Headers()
  await attestJwt({ attestation, key, ...options })({ issuer }, { client_id: 'wallet' }, body, headers)
  return { body: Object.fromEntries(body), headers: Object.fromEntries(headers) }
}

const popOf = ({ headers }: Awaited<ReturnType<typeof sentBy>>) => headers['oauth-client-attestation-pop'] ?? ''

describe('attestJwt', () => {
  it('sends the attestation, and a proof for the server it goes to that is another one each time', async () => {
    const before = Math.floor(Date.now() / 1000)
    const sent = await sentBy({})
    expect(sent.body).toEqual({ client_id: 'wallet' })
    expect(sent.headers).toEqual({ 'oauth-client-attestation': attestation, 'oauth-client-attestation-pop': expect.any(String) })
    const { payload, protectedHeader } = await jwtVerify(popOf(sent), publicKey)
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'oauth-client-attestation-pop+jwt' })
    expect(payload).toEqual({ aud: issuer, iat: expect.any(Number), jti: expect.any(String) })
    expect(payload.iat).toBeGreaterThanOrEqual(before)
    const again = await jwtVerify(popOf(await sentBy({})), publicKey)
    expect(again.payload.jti).not.toBe(payload.jti)
  })

  it('answers the latest challenge, where there is one', async () => {
    const challenges = ['first', undefined]
    const challenge = () => challenges.shift()
    const auth = attestJwt({ attestation, key, challenge })
    for (const expected of ['first', undefined]) {
      const headers = new Headers()
      await auth({ issuer }, { client_id: 'wallet' }, new URLSearchParams(), headers)
      const { payload } = await jwtVerify(headers.get('OAuth-Client-Attestation-PoP') ?? '', publicKey)
      expect(payload['challenge']).toBe(expected)
    }
  })

  it('gets an attestation for every request, where it is given a function', async () => {
    const got = ['a.b.c', 'd.e.f']
    const auth = attestJwt({ attestation: () => Promise.resolve(got.shift() ?? ''), key, issuer, client_id: 'wallet' })
    for (const expected of ['a.b.c', 'd.e.f']) {
      const headers = new Headers()
      const params = new URLSearchParams()
      await auth(headers, params, `${issuer}/token`, { issuer })
      expect([headers.get('OAuth-Client-Attestation'), params.get('client_id')]).toEqual([expected, 'wallet'])
    }
    await expect(auth(new Headers(), new URLSearchParams(), `${issuer}/token`)).rejects.toThrow(ClientAuthenticationError)
  })

  it('makes no proof without a key: the DPoP proof is one', async () => {
    expect((await sentBy({ key: undefined })).headers).toEqual({ 'oauth-client-attestation': attestation })
  })

  it.each(['ES256', 'ES384', 'ES512', 'Ed25519', 'RS256', 'PS256', 'PS512'])('signs with %s', async alg => {
    const pair = await keyPair(alg)
    const pop = popOf(await sentBy({ key: pair.privateKey }))
    expect(decodeProtectedHeader(pop).alg).toBe(alg)
    await jwtVerify(pop, pair.publicKey)
  })

  it('refuses what cannot attest or sign, by its name', async () => {
    const hmac = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign'])
    const ecdh = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits'])
    const wrong: readonly [string, object][] = [
      ['attestation', { attestation: undefined }],
      ['attestation', { attestation: 'hunter2' }],
      ['key', { key: publicKey }],
      ['key', { key: hmac }],
      ['key', { key: ecdh.privateKey }],
      ['key', { key: { kty: 'EC' } }],
      ['challenge', { challenge: 'x' }],
      ['issuer', { issuer: 'as.example' }],
      ['nonce', { nonce: 'x' }]
    ]
    for (const [name, change] of wrong)
      expect(() => attestJwt({ attestation, key, ...change })).toThrow(
        expect.objectContaining({ name: 'ConfigurationError', key: name })
      )
  })
})
