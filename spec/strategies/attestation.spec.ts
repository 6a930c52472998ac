/** `attest_jwt_client_auth` and `attest_jwt_client_auth_dpop`: every rule about an attestation and its proof, by the strategy alone and over HTTP. */
import { describe, expect, it } from '@jest/globals'
import express, { type Express } from 'express'
import request, { type Response } from 'supertest'
import {
  AttestJwtClientAuthDpopStrategy,
  AttestJwtClientAuthStrategy,
  authenticateClient,
  clientAttestation,
  memoryStore,
  oauthErrorHandler,
  type AttestationOptions,
  type Attester,
  type ClientMetadata,
  type Decision
} from '../../lib/index.ts'
import { attest, attested, attesterCa, combined, pop, type Headers } from '../support/clients/attestation.ts'
import { makeDpopKey, prove } from '../support/clients/dpop.ts'
import { harness } from '../support/servers/authorization-server.ts'
import { bareMounts, issuer, notPassed, post as postTo, refusal, tokenEndpoint } from '../support/servers/strategy-app.ts'
import { attester, certified, good, now, refused, scoped, wallet } from './attestation-faults.ts'

const clock = () => now * 1000
const attesters: readonly Attester[] = [
  { jwks: { keys: [attester.jwk] } },
  { trustAnchors: attesterCa.pem },
  { jwks: { keys: [scoped.jwk] }, clients: ['somebody-else'] }
]
const registered = { grant_types: ['client_credentials'], response_types: [], scope: 'api:read' }
const clients: readonly ClientMetadata[] = [
  { client_id: 'wallet', token_endpoint_auth_method: 'attest_jwt_client_auth', ...registered },
  { client_id: 'other-wallet', token_endpoint_auth_method: 'attest_jwt_client_auth', ...registered },
  { client_id: 'combined', token_endpoint_auth_method: 'attest_jwt_client_auth_dpop', ...registered },
  { client_id: 'secretive', client_secret: 'secret of secretive', ...registered }
]

interface Door {
  readonly post: (headers: Headers, form?: Readonly<Record<string, string>>) => Promise<Response>
  readonly decisions: Decision[]
}

type Options = Partial<Omit<AttestationOptions, 'signal'>>

/** The two ways in: a strategy on a route, and the token endpoint of a server. */
const doors: Readonly<Record<string, (options?: Options) => Promise<Door>>> = {
  // eslint-disable-next-line @typescript-eslint/require-await -- the other one is
  'passport.authenticate': async (options = {}) => {
    const attestation = clientAttestation({ issuer, store: memoryStore({ clock }), attesters, clock, ...options })
    const [, mount] = bareMounts[0] ?? []
    if (mount === undefined) throw new Error('passport.authenticate is missing')
    const { app, decisions } = mount({
      clients,
      strategy: given => new AttestJwtClientAuthStrategy({ ...given, attestation, clock })
    })
    return { decisions, post: async (headers, form = {}) => postTo(app, form, headers) }
  },
  'the token endpoint': async (options = {}) => {
    const decisions: Decision[] = []
    const { app } = await harness({
      clients,
      attestation: { attesters, ...options },
      onDecision: decision => decisions.push(decision)
    })
    return { decisions, post: (headers, form = {}) => postToken(app, headers, form) }
  }
}

async function postToken(app: Express, headers: Headers, form: Readonly<Record<string, string>> = {}): Promise<Response> {
  return request(app)
    .post('/oauth2/token')
    .type('form')
    .set(headers)
    .send({ grant_type: 'client_credentials', ...form })
}

const challenge = 'oauth-client-attestation-challenge'
const described = Object.entries(doors)

describe.each(described)('by %s', (_, open) => {
  it.each([
    ['keys', attester],
    ['a chain to trust anchors', certified]
  ])('an attester known by %s vouches for an instance, again and again', async (_, signer) => {
    const door = await open()
    for (let time = 0; time < 3; time++) {
      const answer = await door.post(await attested(signer, wallet, { aud: issuer, now }))
      expect(answer.status).toBe(200)
    }
    expect(door.decisions.at(-1)).toMatchObject({
      outcome: 'authenticated',
      client_id: 'wallet',
      mechanism: 'attestation',
      method: 'attest_jwt_client_auth',
      credential: `jkt:${wallet.jkt}`
    })
    expect(door.decisions.at(-1)?.checks.map(({ check }) => check)).toEqual([
      ...['client', 'registered_method', 'attestation_header', 'attestation_type', 'attester', 'attestation_signature'],
      ...['attestation_subject', 'attestation_confirmation', 'attestation_freshness'],
      ...['pop_header', 'pop_signature', 'pop_audience', 'pop_freshness', 'attestation_challenge', 'jti', 'replay']
    ])
  })

  it.each(refused)('%s is refused like every other client', async (_, send, check) => {
    const door = await open()
    const { status, text } = await door.post(await send())
    expect([status, text, ...notPassed(door)]).toEqual([401, refusal, `${check}:fail`])
    expect(door.decisions.at(-1)?.outcome).toBe('refused')
  })

  it('another client_id beside the attestation is refused, the same one is not', async () => {
    const door = await open()
    expect((await door.post(await good(), { client_id: 'other-wallet' })).text).toBe(refusal)
    expect(notPassed(door)).toEqual(['attestation_subject:fail'])
    expect((await door.post(await good(), { client_id: 'wallet' })).status).toBe(200)
  })

  it('a proof is good once, also for whoever comes at the same time', async () => {
    const door = await open()
    const headers = await good()
    const answers = await Promise.all(Array.from({ length: 5 }, () => door.post(headers)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401, 401])
    expect(notPassed(door)).toEqual(['replay:fail'])
  })

  it('what fails uses no jti up', async () => {
    const door = await open()
    const claims = { jti: 'the same' }
    expect((await door.post(await good({}, { claims: { ...claims, aud: 'https://other.example' } }))).status).toBe(401)
    expect((await door.post(await good({}, { claims }))).status).toBe(200)
  })

  it('an attestation within its limits but older than the server takes is asked for anew', async () => {
    const door = await open({ maxAge: 600 })
    expect((await door.post(await good({ claims: { iat: now - 600 } }))).status).toBe(200)
    const answer = await door.post(await good({ claims: { iat: now - 700 } }))
    expect([answer.status, (answer.body as { error: string }).error]).toEqual([400, 'use_fresh_attestation'])
    expect(door.decisions.at(-1)).toMatchObject({ outcome: 'refused' })
    expect(notPassed(door)).toEqual(['attestation_freshness:fail'])
  })

  it('algorithms are those of the option', async () => {
    const door = await open({ algorithms: ['ES384'] })
    expect((await door.post(await good())).status).toBe(401)
    expect(notPassed(door)).toEqual(['attester:fail'])
  })

  it('a challenge has to be answered where one is required, and with `challenge`', async () => {
    const door = await open({ challenge: 'required' })
    const first = await door.post(await good())
    expect([first.status, (first.body as { error: string }).error]).toEqual([400, 'use_attestation_challenge'])
    expect(door.decisions.at(-1)).toMatchObject({ outcome: 'refused', client_id: 'wallet' })
    const fresh = String(first.headers[challenge])
    expect((await door.post(await good({}, { claims: { nonce: fresh } }))).status).toBe(400)
    expect((await door.post(await good({}, { claims: { challenge: fresh } }))).status).toBe(200)
    expect((await door.post(await good({}, { claims: { challenge: fresh } }))).status).toBe(200)
  })

  it('a wrong challenge is refused although none is required', async () => {
    const door = await open()
    for (const wrong of ['made-up', '', 7, null, 'A'.repeat(40)]) {
      const answer = await door.post(await good({}, { claims: { challenge: wrong } }))
      expect([wrong, answer.status]).toEqual([wrong, 400])
      const fresh = String(answer.headers[challenge])
      expect((await door.post(await good({}, { claims: { challenge: fresh } }))).status).toBe(200)
    }
  })

  it('a challenge may be good for one proof', async () => {
    const door = await open({ challenge: 'required', challengeOnce: true })
    const fresh = String((await door.post(await good())).headers[challenge])
    const answers = await Promise.all([1, 2, 3].map(async () => door.post(await good({}, { claims: { challenge: fresh } }))))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400])
  })
})

describe('in combined mode', () => {
  const combinedWallet = { ...wallet, client_id: 'combined' }
  const htu = `${issuer}/jobs`

  /** A route of one's own behind both strategies. */
  function route() {
    const attestation = clientAttestation({ issuer, store: memoryStore({ clock }), attesters, clock })
    const decisions: Decision[] = []
    const strategies = [
      new AttestJwtClientAuthStrategy({ clients, attestation, clock }),
      new AttestJwtClientAuthDpopStrategy({ clients, attestation, clock, addresses: [htu] })
    ]
    const app = express()
    const onDecision = (decision: Decision) => void decisions.push(decision)
    app.post('/jobs', authenticateClient({ clients, strategies, onDecision }), (req, res) => {
      res.json({ client_id: req.authenticatedClient?.client_id })
    })
    app.use(oauthErrorHandler())
    const post = async (headers: Headers): Promise<Response> => request(app).post('/jobs').set(headers)
    return { attestation, decisions, post }
  }

  it('the DPoP proof stands for both, with a nonce always', async () => {
    const { post, decisions } = route()
    const first = await post(await combined(attester, combinedWallet, { htu, now }))
    expect([first.status, (first.body as { error: string }).error]).toEqual([400, 'use_dpop_nonce'])
    const nonce = String(first.headers['dpop-nonce'])
    const second = await post(await combined(attester, combinedWallet, { htu, now, nonce }))
    expect([second.status, second.body]).toEqual([200, { client_id: 'combined' }])
    expect(second.headers['dpop-nonce']).toBe(nonce)
    expect(decisions.at(-1)).toMatchObject({ method: 'attest_jwt_client_auth_dpop', credential: `jkt:${wallet.jkt}` })
  })

  it('the proof is by the attested key', async () => {
    const { post, decisions, attestation } = route()
    const nonce = attestation.dpopNonce()
    const by = await makeDpopKey()
    expect((await post(await combined(attester, combinedWallet, { htu, now, nonce, by }))).text).toBe(refusal)
    expect(notPassed({ decisions })).toEqual(['dpop_proof:fail'])
  })

  it('a proof is good once, and for this address', async () => {
    const { post, attestation } = route()
    const nonce = attestation.dpopNonce()
    const headers = await combined(attester, combinedWallet, { htu, now, nonce })
    expect([await post(headers), await post(headers)].map(({ status }) => status)).toEqual([200, 400])
    const elsewhere = await post(await combined(attester, combinedWallet, { htu: tokenEndpoint, now, nonce }))
    expect([elsewhere.status, (elsewhere.body as { error: string }).error]).toEqual([400, 'invalid_dpop_proof'])
  })

  it.each<[string, string, (nonce: string) => Promise<Headers>, string]>([
    [
      'the PoP header stripped from a client of the normal mode',
      'wallet',
      async nonce => {
        const by = await makeDpopKey()
        return combined(attester, wallet, { htu, now, nonce, by })
      },
      'pop_header'
    ],
    [
      'the PoP header stripped, with the instance’s own DPoP key',
      'wallet',
      nonce => combined(attester, wallet, { htu, now, nonce }),
      'pop_header'
    ],
    [
      'a PoP header for a client of the combined mode',
      'combined',
      async nonce => ({
        ...(await combined(attester, combinedWallet, { htu, now, nonce })),
        'OAuth-Client-Attestation-PoP': await pop(wallet, issuer, now)
      }),
      'dpop_proof'
    ],
    [
      'neither proof',
      'combined',
      async () => ({ 'OAuth-Client-Attestation': await attest(attester, combinedWallet, now) }),
      'dpop_proof'
    ]
  ])('%s is refused', async (_, client_id, send, check) => {
    const { post, decisions, attestation } = route()
    expect((await post(await send(attestation.dpopNonce()))).text).toBe(refusal)
    expect([decisions.at(-1)?.client_id, ...notPassed({ decisions })]).toEqual([client_id, `${check}:fail`])
  })

  it('a DPoP proof beside a proof of its own is a proof of its own', async () => {
    const { post } = route()
    const dpop = await makeDpopKey()
    const headers = { ...(await good()), DPoP: await prove(dpop, 'POST', htu, now * 1000) }
    expect((await post(headers)).body).toEqual({ client_id: 'wallet' })
  })

  it('an attestation beside another method is a second one', async () => {
    const { app } = await harness({ clients, attestation: { attesters } })
    const secretive = Buffer.from('secretive:secret of secretive').toString('base64')
    const { status, body } = await postToken(app, { ...(await good()), Authorization: `Basic ${secretive}` })
    expect([status, (body as { error: string }).error]).toEqual([400, 'invalid_request'])
  })
})
