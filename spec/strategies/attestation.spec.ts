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
import {
  attest,
  attested,
  attesterCa,
  certifiedSigner,
  combined,
  makeInstance,
  makeSigner,
  pop,
  type Headers,
  type Parts
} from '../support/clients/attestation.ts'
import { makeAuthority } from '../support/certificates/certificates.ts'
import { makeDpopKey, prove } from '../support/clients/dpop.ts'
import { harness } from '../support/servers/authorization-server.ts'
import { bareMounts, issuer, notPassed, post as postTo, refusal, tokenEndpoint } from '../support/servers/strategy-app.ts'

const now = 1_800_000_000
const clock = () => now * 1000
const attester = await makeSigner()
const [certified, other, scoped] = [await certifiedSigner(), await makeSigner(), await makeSigner('ES256', 'scoped')]
const wallet = await makeInstance()
const sameDevice = await makeInstance()
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
  return request(app).post('/oauth2/token').type('form').set(headers).send({ grant_type: 'client_credentials', ...form })
}

const challenge = 'oauth-client-attestation-challenge'
const good = (attestation?: Parts, proof?: Parts) =>
  attested(attester, wallet, { aud: issuer, now, ...(attestation && { attestation }), ...(proof && { proof }) })

const privately = { ...wallet.jwk, d: 'x' }

/** What is wrong, what is sent, and the check that says so. */
const refused: readonly (readonly [what: string, send: () => Promise<Headers> | Headers, check: string])[] = [
  ['two attestations', async () => twice(await good(), 'OAuth-Client-Attestation'), 'attestation_header'],
  ['no attestation a parser knows', async () => ({ ...(await good()), 'OAuth-Client-Attestation': 'e30.e30' }), 'attestation_header'],
  ['crit', () => good({ header: { crit: ['b64'], b64: true } }), 'attestation_header'],
  ['no typ', () => good({ header: { typ: undefined } }), 'attestation_type'],
  ['the typ of another JWT', () => good({ header: { typ: 'JWT' } }), 'attestation_type'],
  ['a WIT-SVID', () => good({ header: { typ: 'wit+jwt' } }), 'attestation_type'],
  ['a MAC of the attester’s public key', () => macOf(), 'attester'],
  ['an unknown kid', () => good({ header: { kid: 'attester-2' } }), 'attester'],
  ['another attester’s signature', () => good({ key: other.privateKey }), 'attestation_signature'],
  ['an attester for other clients', async () => attested(scoped, wallet, { aud: issuer, now }), 'attester'],
  ['a chain to nobody', async () => attested(await certifiedSigner(makeAuthority()), wallet, { aud: issuer, now }), 'attester'],
  ['a certificate that signed itself', async () => attested(await selfCertified(), wallet, { aud: issuer, now }), 'attester'],
  ['an expired certificate', async () => attested(await expiredSigner(), wallet, { aud: issuer, now }), 'attester'],
  ['x5c with no certificate in it', () => good({ header: { kid: undefined, x5c: ['AAAA'] } }), 'attester'],
  ['x5c that is no list', () => good({ header: { kid: undefined, x5c: 'AAAA' } }), 'attester'],
  ['the chain’s key beside another signature', async () => attested(certified, wallet, { aud: issuer, now, attestation: { key: other.privateKey } }), 'attestation_signature'], // prettier-ignore
  ['the sub of nobody', () => good({ claims: { sub: 'nobody' } }), 'client'],
  ['no cnf', () => good({ claims: { cnf: undefined } }), 'attestation_confirmation'],
  ['a thumbprint as cnf', () => good({ claims: { cnf: { jkt: wallet.jkt } } }), 'attestation_confirmation'],
  ['a private key in cnf', () => good({ claims: { cnf: { jwk: privately } } }), 'attestation_confirmation'],
  ['the private seed of another kind of key in cnf', () => good({ claims: { cnf: { jwk: { ...wallet.jwk, priv: 'x' } } } }), 'attestation_confirmation'], // prettier-ignore
  ['a symmetric key in cnf', () => good({ claims: { cnf: { jwk: { kty: 'oct', k: 'AAAA' } } } }), 'attestation_confirmation'],
  ['no iat', () => good({ claims: { iat: undefined } }), 'attestation_freshness'],
  ['no exp', () => good({ claims: { exp: undefined } }), 'attestation_freshness'],
  ['an expired attestation', () => good({ claims: { iat: now - 7200, exp: now - 11 } }), 'attestation_freshness'],
  ['an attestation of tomorrow', () => good({ claims: { iat: now + 86_400, exp: now + 90_000 } }), 'attestation_freshness'],
  ['one that is not valid yet', () => good({ claims: { nbf: now + 60 } }), 'attestation_freshness'],
  ['times that are text', () => good({ claims: { exp: String(now + 60) } }), 'attestation_freshness'],
  ['no proof', async () => without(await good(), 'OAuth-Client-Attestation-PoP'), 'pop_header'],
  ['two proofs', async () => twice(await good(), 'OAuth-Client-Attestation-PoP'), 'pop_header'],
  ['a proof that says it is another JWT', () => good({}, { header: { typ: 'dpop+jwt' } }), 'pop_header'],
  ['a proof with crit', () => good({}, { header: { crit: ['b64'], b64: true } }), 'pop_header'],
  ['a proof by an algorithm of another key', async () => proofBy('ES384'), 'pop_header'],
  ['a proof by another key', () => good({}, { key: sameDevice.privateKey }), 'pop_signature'],
  ['a proof for the token endpoint', () => good({}, { claims: { aud: tokenEndpoint } }), 'pop_audience'],
  ['a proof for a resource', () => good({}, { claims: { aud: 'https://api.example.com' } }), 'pop_audience'],
  ['a list of audiences', () => good({}, { claims: { aud: [issuer] } }), 'pop_audience'],
  ['a proof of 301 s ago', () => good({}, { claims: { iat: now - 301 } }), 'pop_freshness'],
  ['a proof of 301 s ahead', () => good({}, { claims: { iat: now + 301 } }), 'pop_freshness'],
  ['a proof without a time', () => good({}, { claims: { iat: undefined } }), 'pop_freshness'],
  ['a proof that has expired', () => good({}, { claims: { exp: now - 60 } }), 'pop_freshness'],
  ['a proof without jti', () => good({}, { claims: { jti: undefined } }), 'jti'],
  ['an endless jti', () => good({}, { claims: { jti: 'x'.repeat(513) } }), 'jti']
]

function twice(headers: Headers, name: string): Headers {
  // as Node joins two headers of one name
  return { ...headers, [name]: `${headers[name] ?? ''}, ${headers[name] ?? ''}` }
}

function without({ [String('OAuth-Client-Attestation-PoP')]: _, ...headers }: Headers, ...names: string[]): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)))
}

async function macOf(): Promise<Headers> {
  const key = Buffer.from(JSON.stringify(attester.jwk))
  return good({ header: { alg: 'HS256' }, key })
}

async function selfCertified() {
  return { ...attester, header: { x5c: [attesterCa.der.toString('base64')] } }
}

async function expiredSigner() {
  return certifiedSigner(attesterCa, { notBefore: new Date(0), notAfter: new Date(1000) })
}

async function proofBy(alg: string): Promise<Headers> {
  const { privateKey } = await makeInstance('wallet', alg)
  return good({}, { header: { alg }, key: privateKey })
}

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
    const answers = await Promise.all(
      [1, 2, 3].map(async () => door.post(await good({}, { claims: { challenge: fresh } })))
    )
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
    ['the PoP header stripped from a client of the normal mode', 'wallet', async nonce => {
      const by = await makeDpopKey()
      return combined(attester, wallet, { htu, now, nonce, by })
    }, 'pop_header'],
    ['the PoP header stripped, with the instance’s own DPoP key', 'wallet', nonce => combined(attester, wallet, { htu, now, nonce }), 'pop_header'],
    ['a PoP header for a client of the combined mode', 'combined', async nonce => ({
      ...(await combined(attester, combinedWallet, { htu, now, nonce })),
      'OAuth-Client-Attestation-PoP': await pop(wallet, issuer, now)
    }), 'dpop_proof'],
    ['neither proof', 'combined', async () => ({ 'OAuth-Client-Attestation': await attest(attester, combinedWallet, now) }), 'dpop_proof']
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
