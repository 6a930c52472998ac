import { createHash } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose'
import { generateKeys } from '../../lib/index.ts'
import { toClient } from '../../lib/clients/client.ts'
import { ServerError } from '../../lib/errors.ts'
import { mintIdToken } from '../../lib/tokens/id-token.ts'
import { issuer } from '../support/servers/authorization-server.ts'
import { grant, tokens, web } from './server.ts'

const registering = (alg: string) =>
  toClient({ client_id: 'web', client_secret: 'secret of web', id_token_signed_response_alg: alg })

/** OpenID Connect Core §3.1.3.6, computed without the library. */
const atHash = (digest: string, access_token: string) => {
  const bytes = createHash(digest).update(access_token, 'ascii').digest()
  return bytes.subarray(0, bytes.length / 2).toString('base64url')
}

describe('mintIdToken', () => {
  it('says who signed in, when and how, and nothing else', async () => {
    const { server, clock } = await tokens()
    const id_token = await mintIdToken(server, web, grant, 'the access token')
    const { payload, protectedHeader } = await jwtVerify(id_token, createLocalJWKSet(server.keys.publicKeys() as JSONWebKeySet), {
      issuer,
      audience: 'web',
      currentDate: new Date(clock.now)
    })
    expect(protectedHeader).toEqual({ alg: 'RS256', typ: 'JWT', kid: expect.any(String) })
    expect(payload).toEqual({
      iss: issuer,
      sub: 'alice',
      aud: 'web',
      iat: 1_800_000_000,
      exp: 1_800_003_600,
      auth_time: 1_799_999_000,
      nonce: 'n-0S6',
      acr: 'urn:acr:1',
      amr: ['pwd'],
      at_hash: atHash('sha256', 'the access token')
    })
  })

  it.each([
    ['RS256', 'sha256'],
    ['PS256', 'sha256'],
    ['ES256', 'sha256'],
    ['EdDSA', 'sha512'],
    ['Ed25519', 'sha512']
  ])('is signed %s where the client registered that, at_hash with %s', async (alg, digest) => {
    const { server, clock } = await tokens()
    const id_token = await mintIdToken(server, registering(alg), grant, 'ßome token')
    const { payload } = await jwtVerify(id_token, createLocalJWKSet(server.keys.publicKeys() as JSONWebKeySet), {
      algorithms: [alg],
      currentDate: new Date(clock.now)
    })
    const bytes = createHash(digest).update('ßome token').digest()
    expect(payload['at_hash']).toBe(bytes.subarray(0, bytes.length / 2).toString('base64url'))
  })

  it('falls back to a key there is only for clients that registered nothing', async () => {
    const { server } = await tokens({ keys: await generateKeys(['ES256']) })
    expect(decodeProtectedHeader(await mintIdToken(server, web, grant, 't')).alg).toBe('ES256')
    for (const alg of ['RS256', 'none', 'HS256', '__proto__'])
      await expect(mintIdToken(server, registering(alg), grant, 't')).rejects.toThrow(ServerError)
  })

  it('is not minted without a person', async () => {
    const { server } = await tokens()
    await expect(mintIdToken(server, web, { ...grant, sub: undefined }, 't')).rejects.toThrow(ServerError)
    const { id_token } = await server.respond({ client: web }, { ...grant, id: undefined, sub: undefined })
    expect(id_token).toBeUndefined()
  })
})
