/** Attestations beside other methods, as a further signal, and options of attestation that do not go together. */
import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { builtInStrategies, ConfigurationError, memoryStore, type AuthorizationServerOptions } from '../../lib/index.ts'
import { attest, attested, makeInstance, pop, type Headers } from '../support/clients/attestation.ts'
import { attestedServer, attester, outcome, phone, send, tablet } from '../support/servers/attested.ts'
import { authorize, basic, callback, code_verifier, issuer, redirected } from '../support/servers/authorization-server.ts'

const challengeHeader = 'oauth-client-attestation-challenge'
const web = await makeInstance('web')
const spa = await makeInstance('spa')
const machine = { grant_type: 'client_credentials', scope: 'api:read' }

describe('an attestation beside another method', () => {
  const secret = { Authorization: basic('web') }

  async function headersOf(instance = web, claims: object = {}): Promise<Headers> {
    const attestation = { claims: { ...claims } }
    return attested(attester, instance, { aud: issuer, now: 1_800_000_000, attestation })
  }

  it('is a second mechanism where nobody asks for it', async () => {
    const { app } = await attestedServer()
    expect(outcome(await send(app, machine, { ...(await headersOf()), ...secret }))).toBe('400 invalid_request')
  })

  it.each(['optional', 'required'] as const)('is verified where it is sent (%s)', async signal => {
    const { app, decisions } = await attestedServer({ signal })
    const answer = await send(app, machine, { ...(await headersOf()), ...secret })
    expect([outcome(answer), answer.headers[challengeHeader]]).toEqual(['200', expect.stringMatching(/^[\w-]{40}$/)])
    expect(decisions.at(-1)).toMatchObject({ method: 'client_secret_basic', outcome: 'authenticated' })
    expect(decisions.at(-1)?.checks).toContainEqual({ check: 'attestation_signature', outcome: 'pass' })
    for (const [wrong, check] of [
      [{ ...(await headersOf()), 'OAuth-Client-Attestation-PoP': await pop(tablet, issuer, 1_800_000_000) }, 'pop_signature'],
      [await headersOf(phone), 'attestation_subject'],
      [{ 'OAuth-Client-Attestation': 'no.jwt' }, 'attestation_header'],
      [{ 'OAuth-Client-Attestation-PoP': await pop(web, issuer, 1_800_000_000) }, 'attestation_header'],
      [{ 'OAuth-Client-Attestation': await attest(attester, web, 1_800_000_000) }, 'pop_header']
    ] as const) {
      expect([check, outcome(await send(app, machine, { ...wrong, ...secret }))]).toEqual([check, '401 invalid_client'])
      expect(decisions.at(-1)?.checks).toContainEqual(expect.objectContaining({ check, outcome: 'fail' }))
    }
  })

  it('may be left out where it is optional, and not where it is required', async () => {
    const [optional, required] = [await attestedServer({ signal: 'optional' }), await attestedServer({ signal: 'required' })]
    expect(outcome(await send(optional.app, machine, secret))).toBe('200')
    expect(optional.decisions.at(-1)?.checks.map(({ check }) => check)).not.toContain('attestation_header')
    expect(outcome(await send(required.app, machine, secret))).toBe('401 invalid_client')
  })

  it('comes with public clients too, who name themselves', async () => {
    const { app, decisions } = await attestedServer({ signal: 'optional' })
    const form = { grant_type: 'refresh_token', refresh_token: 'none', client_id: 'spa' }
    expect(outcome(await send(app, form, await headersOf(spa)))).toBe('400 invalid_grant')
    expect(decisions.at(-1)).toMatchObject({ method: 'none', client_id: 'spa', outcome: 'authenticated' })
    expect(outcome(await send(app, form, await headersOf(web)))).toBe('401 invalid_client')
    expect(outcome(await send(app, { ...form, client_id: 'native' }, await headersOf(spa)))).toBe('401 invalid_client')
  })

  it('never stands for a client that has another method, nor the other way round', async () => {
    const { app } = await attestedServer({ signal: 'optional' })
    expect(outcome(await send(app, machine, await headersOf(web)))).toBe('401 invalid_client')
    const wallet = { Authorization: basic('wallet') }
    expect(outcome(await send(app, machine, { ...(await headersOf(phone)), ...wallet }))).toBe('401 invalid_client')
  })

  it('binds nothing to the instance', async () => {
    const { app } = await attestedServer({ signal: 'optional' })
    const { code = '' } = redirected(await authorize(app, { client_id: 'web' }))
    const form = { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier }
    const { body } = await send(app, form, { ...(await headersOf()), ...secret })
    const { refresh_token } = body as { refresh_token: string }
    expect(outcome(await send(app, { grant_type: 'refresh_token', refresh_token }, secret))).toBe('200')
  })

  it('is asked to answer a challenge as any other, and metadata says what is asked', async () => {
    const server = await attestedServer({ signal: 'required', challenge: 'required' })
    const answer = await send(server.app, machine, { ...(await headersOf()), ...secret })
    expect([outcome(answer), answer.headers[challengeHeader]]).toEqual(['400 use_attestation_challenge', expect.any(String)])
    for (const [signal, methods] of [
      ['required', ['attestation_pop_jwt', 'dpop_combined']],
      ['optional', ['attestation_pop_jwt', 'dpop_combined', 'none']]
    ] as const) {
      const { app } = await attestedServer({ signal })
      const { body } = await request(app).get('/.well-known/oauth-authorization-server')
      expect(body).toMatchObject({ client_attestation_pop_methods_supported: methods })
    }
  })
})

describe('options that do not go together', () => {
  it.each<[string, Partial<AuthorizationServerOptions>, string]>([
    ['strategies of one’s own', { strategies: builtInStrategies({ clients: [], issuer, store: memoryStore() }) }, 'attestation'],
    ['no attester', { attestation: { attesters: [] } }, 'attestation.attesters'],
    ['keys and anchors', { attestation: { attesters: [{ jwks: { keys: [attester.jwk] }, trustAnchors: 'x' }] } }, 'attestation.attesters[0].jwks'], // prettier-ignore
    ['neither', { attestation: { attesters: [{ clients: ['wallet'] }] } }, 'attestation.attesters[0].jwks'],
    ['an anchor that is none', { attestation: { attesters: [{ trustAnchors: 'x' }] } }, 'attestation.attesters[0].trustAnchors'],
    ['a private key', { attestation: { attesters: [{ jwks: { keys: [{ ...attester.jwk, d: 'x' }] } }] } }, 'attestation.attesters[0].jwks.keys[0]'], // prettier-ignore
    ['a profile that knows no such method', { profile: 'fapi2-security', clients: [] }, 'attestation'],
    ['a client of the method without attesters', { attestation: undefined }, 'clients[0].token_endpoint_auth_method']
  ])('%s', async (_, options, key) => {
    const error = await attestedServer({}, options).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ConfigurationError)
    expect((error as ConfigurationError).key).toBe(key)
  })
})
