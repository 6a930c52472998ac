/** `attesters` and `policy.attestation_challenge`: what the contract says of them, from outside. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { memoryStore } from 'clientele'
import { createApp } from '../../example-app/app.ts'
import { checkConfig } from '../../example-app/config/config.ts'
import { createLog } from '../../example-app/log.ts'
import {
  attested,
  attesterCa,
  certifiedSigner,
  combined,
  makeInstance,
  makeSigner,
  type Headers
} from '../support/clients/attestation.ts'
import { serve, type Serving } from './in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'clientele-attesters-'))
const anchor = join(folder, 'attester-ca.crt')
writeFileSync(anchor, attesterCa.pem)
writeFileSync(join(folder, 'empty.crt'), '')
const [keys, certified, wallet, spy] = await Promise.all([makeSigner(), certifiedSigner(), makeInstance(), makeInstance('spy')])
const grants = { grant_types: ['client_credentials'], response_types: [], scope: 'api:read' }
const clients = [
  { client_id: 'wallet', token_endpoint_auth_method: 'attest_jwt_client_auth', ...grants },
  { client_id: 'combined', token_endpoint_auth_method: 'attest_jwt_client_auth_dpop', ...grants },
  { client_id: 'spy', token_endpoint_auth_method: 'attest_jwt_client_auth', ...grants }
]
const attesters = [{ jwks: { keys: [keys.jwk] }, clients: ['wallet', 'combined'] }, { trust_anchors: [anchor] }]

let server: Serving
let issuer = ''

beforeAll(async () => {
  const policy = { attestation_challenge: 'required' }
  const keyless = [{ jwks: { keys: [] }, clients: ['wallet'] }]
  const tenants = [
    { path: '/acme', clients, attesters, policy },
    { path: '/keyless', clients, attesters: keyless }
  ]
  server = await serve(() => ({ clients, attesters, tenants }), memoryStore())
  issuer = server.issuer
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

async function token(headers: Headers, at = issuer) {
  const body = new URLSearchParams({ grant_type: 'client_credentials' })
  const response = await fetch(`${at}/oauth2/token`, { method: 'POST', headers, body })
  const { error } = (await response.json()) as { error?: string }
  const challenge = response.headers.get('oauth-client-attestation-challenge') ?? ''
  return { outcome: error === undefined ? String(response.status) : `${response.status} ${error}`, challenge }
}

const now = () => Math.floor(Date.now() / 1000)
const sent = (signer = keys, instance = wallet, challenge?: string, aud = issuer) =>
  attested(signer, instance, { aud, now: now(), proof: { claims: { challenge } } })

async function challengeAt(at: string) {
  const metadata = (await (await fetch(`${at}/.well-known/openid-configuration`)).json()) as Record<string, string>
  const answer = await fetch(metadata['challenge_endpoint'] ?? '', { method: 'POST' })
  const { attestation_challenge } = (await answer.json()) as { attestation_challenge: string }
  return { attestation_challenge, nonce: answer.headers.get('dpop-nonce') ?? '' }
}

describe('attesters', () => {
  it('vouch by their keys and by their anchors, each for the clients it is configured for', async () => {
    expect((await token(await sent())).outcome).toBe('200')
    expect((await token(await sent(certified))).outcome).toBe('200')
    expect((await token(await sent(certified, spy))).outcome).toBe('200')
    expect((await token(await sent(keys, spy))).outcome).toBe('401 invalid_client')
  })

  it('vouch for nobody where they have no key yet, as trusted issuers do', async () => {
    const at = `${issuer}/keyless`
    expect((await token(await sent(keys, wallet, undefined, at), at)).outcome).toBe('401 invalid_client')
    expect((await token(await sent(certified, wallet, undefined, at), at)).outcome).toBe('401 invalid_client')
  })

  it('vouch for DPoP keys, with a nonce', async () => {
    const { nonce } = await challengeAt(issuer)
    const request = { htu: `${issuer}/oauth2/token`, now: now() }
    const instance = { ...wallet, client_id: 'combined' }
    expect((await token(await combined(keys, instance, request))).outcome).toBe('400 use_dpop_nonce')
    expect((await token(await combined(keys, instance, { ...request, nonce }))).outcome).toBe('200')
  })

  it('have their challenges answered where a tenant requires it, and those of no other issuer', async () => {
    const acme = `${issuer}/acme`
    const first = await token(await sent(keys, wallet, undefined, acme), acme)
    expect(first.outcome).toBe('400 use_attestation_challenge')
    expect((await token(await sent(keys, wallet, first.challenge, acme), acme)).outcome).toBe('200')
    expect((await token(await sent(keys, wallet, first.challenge))).outcome).toBe('400 use_attestation_challenge')
    const { attestation_challenge } = await challengeAt(acme)
    expect((await token(await sent(keys, wallet, attestation_challenge, acme), acme)).outcome).toBe('200')
  })
})

describe('a wrong setting', () => {
  it.each<[string, object]>([
    ['attesters[0].jwks or trust_anchors must be given, and not both', { attesters: [{}] }],
    ['attesters[0].trust_anchors[0] must be a readable file (no.crt is not)', { attesters: [{ trust_anchors: ['no.crt'] }] }],
    [
      'tenants[0].attesters[0].trust_anchors[0] must be a readable file (no.crt is not)',
      { tenants: [{ path: '/acme', attesters: [{ trust_anchors: ['no.crt'] }] }] }
    ],
    ['attesters[0].keys must be left out: it is not a known setting', { attesters: [{ keys: [] }] }],
    ['policy.attestation_challenge must be "offered" or "required"', { policy: { attestation_challenge: 'off' } }],
    [
      'attesters[0].trust_anchors[0] must be certificates in PEM, or one in DER',
      { attesters: [{ trust_anchors: ['empty.crt'] }] }
    ],
    ['attesters must be left out under the profile fapi2-security', { attesters, policy: { profile: 'fapi2-security' } }],
    ['clients[0].token_endpoint_auth_method must be one of', { clients }],
    ['accepted', { attesters: [{ trust_anchors: ['attester-ca.crt'] }] }],
    ['accepted', { attesters: [{ jwks: { keys: [] }, clients: ['wallet'] }] }]
  ])('%s', async (line, settings) => {
    const start = async (): Promise<string> => {
      const config = checkConfig({ issuer: 'http://localhost:4010', ...settings }, folder)
      await createApp({ config, store: memoryStore(), log: createLog('silent') })
      return 'accepted'
    }
    expect(await start().catch((error: unknown) => (error as Error).message)).toContain(line)
  })
})
