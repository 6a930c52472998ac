/** `spiffe_jwt` and `spiffe_x509`, alone and over HTTP and TLS. */
import { describe, expect, it } from '@jest/globals'
import express from 'express'
import request, { type Response } from 'supertest'
import {
  authenticateClient,
  SpiffeJwtStrategy,
  SpiffeX509Strategy,
  tokenRouter,
  memoryStore,
  type Decision,
  type WorkloadsOptions
} from '../../lib/index.ts'
import { makeAuthority } from '../support/certificates/certificates.ts'
import { keyUsage } from '../support/certificates/extensions.ts'
import { serverKeys } from '../support/keys/made-keys.ts'
import {
  appOf,
  bareMounts,
  expectClient,
  expectRefused,
  notPassed,
  post,
  type StrategySetup
} from '../support/servers/strategy-app.ts'
import { importPKCS8 } from 'jose'
import { assembleJws } from '../support/servers/trusted-issuer.ts'
import {
  bearer,
  between,
  bundle,
  clients,
  cluster,
  issuer,
  jwtSpiffe,
  root,
  signers,
  spireKey,
  workloads,
  x509Key,
  x509Svid
} from '../support/servers/workloads.ts'
import { postOver, tlsClient } from './tls-requests.ts'

/** Seconds since the epoch. */
const now = Math.floor(Date.now() / 1000)
const { svid } = signers(() => now)
const keys = await serverKeys(['ES256'])
const setup: StrategySetup = {
  clients,
  strategy: options => new SpiffeJwtStrategy({ ...options, issuer, workloads })
}
const form = (token: string, client_id: string, type = jwtSpiffe) => ({
  client_assertion: token,
  client_assertion_type: type,
  scope: 'jobs',
  ...(client_id !== '' && { client_id })
})

const refused: [name: string, check: string, token: () => Promise<string> | string, client_id: string][] = [
  ['another SPIFFE ID', 'spiffe_id', () => svid({ claims: { sub: 'spiffe://prod.example/billing2' } }), 'mesh'],
  [
    'an ID beside what is below a pattern',
    'spiffe_id',
    () => svid({ claims: { sub: 'spiffe://prod.example/client123' } }),
    'meshes'
  ],
  ['the ID the pattern is below', 'spiffe_id', () => svid({ claims: { sub: 'spiffe://prod.example/client' } }), 'meshes'],
  ['an upper-case trust domain', 'spiffe_id', () => svid({ claims: { sub: 'spiffe://PROD.example/billing' } }), 'mesh'],
  ['a trust domain alone', 'spiffe_id', () => svid({ claims: { sub: 'spiffe://prod.example' } }), 'mesh'],
  ['a dotted segment', 'spiffe_id', () => svid({ claims: { sub: 'spiffe://prod.example/client/../billing' } }), 'meshes'],
  ['no subject', 'spiffe_id', () => svid({ claims: { sub: undefined } }), 'mesh'],
  ['a trust domain nobody trusts', 'trust_domain', () => svid({ claims: { sub: 'spiffe://dev.example/billing' } }), 'dev'],
  ['another key of the same kid', 'signature', () => svid({ key: other.privateKey }), 'mesh'],
  ['a kid that is not in the bundle', 'key', () => svid({ header: { kid: 'x' } }), 'mesh'],
  [
    'an issuer of the attacker’s, and its key',
    'signature',
    () => svid({ claims: { iss: 'https://evil.example' }, key: other.privateKey }),
    'mesh'
  ],
  ['two audiences', 'audience', () => svid({ claims: { aud: [issuer, 'x'] } }), 'mesh'],
  ['the token endpoint as audience', 'audience', () => svid({ claims: { aud: `${issuer}/oauth2/token` } }), 'mesh'],
  ['no end', 'expiry', () => svid({ claims: { exp: undefined } }), 'mesh'],
  ['an end 61 s ago', 'expiry', () => svid({ claims: { iat: now - 600, exp: now - 61 } }), 'mesh'],
  ['a life of two days', 'lifetime', () => svid({ claims: { exp: now + 172_800 } }), 'mesh'],
  ['the type of another kind of JWT', 'type', () => svid({ header: { typ: 'at+jwt' } }), 'mesh'],
  [
    'an algorithm that JWT-SVIDs do not have',
    'algorithm',
    () => assembleJws({ alg: 'EdDSA', kid: 'spire-1' }, { sub: 'spiffe://prod.example/billing' }),
    'mesh'
  ],
  ['a key of the bundle that is there for certificates', 'key', () => svid({ header: { kid: x509Kid }, key: rootKey }), 'mesh'],
  [
    'an HMAC under the public key',
    'algorithm',
    () => svid({ header: { alg: 'HS256' }, key: Buffer.from(JSON.stringify(spireKey)) }),
    'mesh'
  ],
  ['a crit header', 'header', () => assembleJws({ alg: 'ES256', crit: ['b64'], b64: true }, { sub: billing }), 'mesh'],
  ['a beginning to come', 'not_before', () => svid({ claims: { nbf: now + 120 } }), 'mesh'],
  ['no audience', 'audience', () => svid({ claims: { aud: undefined } }), 'mesh'],
  ['the issuer with a slash as audience', 'audience', () => svid({ claims: { aud: `${issuer}/` } }), 'mesh'],
  ['no JWT', 'assertion_format', () => 'a.b', 'mesh'],
  ['a client of another method', 'registered_method', () => svid(), 'deployer']
]

const other = cluster
const billing = 'spiffe://prod.example/billing'
const x509Kid = 'root'
const rootKey = await importPKCS8(root.keyPem, 'ES256')

describe.each(bareMounts)('spiffe_jwt alone, with %s', (_, mount) => {
  it.each([
    ['its registered SPIFFE ID', 'mesh', () => svid()],
    ['one below a pattern', 'meshes', () => svid({ claims: { sub: 'spiffe://prod.example/client/a/b' } })],
    ['no client_id', '', () => svid()],
    ['typ JOSE and no iat', 'mesh', () => svid({ header: { typ: 'JOSE' }, claims: { iat: undefined } })],
    ['its audience as a list of one', 'mesh', () => svid({ claims: { aud: [issuer] } })]
  ] as const)('lets in a client with %s', async (_, client_id, token) => {
    const under = mount(setup)
    expectClient(await post(under.app, form(await token(), client_id)), client_id === '' ? 'mesh' : client_id)
    expect(under.decisions.at(-1)).toMatchObject({ method: 'spiffe_jwt', credential: 'spiffe_id:spiffe_id' })
  })

  it.each(refused)('refuses %s at %s', async (_, check, token, client_id) => {
    const under = mount(setup)
    expectRefused(await post(under.app, form(await token(), client_id)))
    expect(notPassed(under)).toEqual([`${check}:fail`])
  })

  it('says what to send where the type is that of other assertions', async () => {
    const under = mount(setup)
    expectRefused(await post(under.app, form(await svid(), 'mesh', bearer)))
    expect(under.decisions.at(-1)?.checks.find(({ outcome }) => outcome === 'fail')).toMatchObject({
      check: 'assertion_type',
      fix: expect.stringContaining('jwt-spiffe')
    })
  })
})

describe('spiffe_jwt at a token endpoint', () => {
  const router = (trusted: WorkloadsOptions) => {
    const decisions: Decision[] = []
    const options = {
      issuer,
      clients,
      keys,
      workloads: trusted,
      store: memoryStore(),
      scopes: ['jobs'],
      onError: () => undefined
    }
    const app = express().use('/oauth2', tokenRouter({ ...options, onDecision: decision => void decisions.push(decision) }))
    const send = (body: object) =>
      request(app)
        .post('/oauth2/token')
        .type('form')
        .send({ grant_type: 'client_credentials', ...body })
    return { send, decisions }
  }

  it.each(refused)('refuses %s', async (_, check, token, client_id) => {
    const { send, decisions } = router(workloads)
    const { status, body } = await send(form(await token(), client_id))
    expect([status, body]).toEqual([401, { error: 'invalid_client', error_description: 'client authentication failed' }])
    expect(decisions.at(-1)?.checks.find(({ outcome }) => outcome === 'fail')?.check).toBe(check)
  })

  it('answers 503 while the bundle cannot be had, says why, and then goes on with it', async () => {
    let isUp = false
    const fetchJson = () => (isUp ? Promise.resolve({ json: bundle }) : Promise.reject(new Error('down')))
    const domain = { trustDomain: 'prod.example', bundleEndpoint: 'https://spire.example/bundle' }
    const { send } = router({ ...workloads, trustDomains: [domain], fetchJson })
    const { status, body } = await send(form(await svid(), 'mesh'))
    expect([status, (body as { error: string }).error]).toEqual([503, 'temporarily_unavailable'])
    isUp = true
    const fresh = router({ ...workloads, trustDomains: [domain], fetchJson })
    expect((await fresh.send(form(await svid(), 'mesh'))).status).toBe(200)
  })
})

/** `spiffe_x509` alone, and at a token endpoint with every built-in method: both answer at `/`. */
const x509Apps: readonly (readonly [string, (trusted?: WorkloadsOptions) => ReturnType<typeof appOf>])[] = [
  [
    'alone',
    (trusted = workloads) => {
      const decisions: Decision[] = []
      const strategies = [new SpiffeX509Strategy({ clients, issuer, workloads: trusted })]
      return appOf([authenticateClient({ clients, strategies, onDecision: decision => decisions.push(decision) })], decisions)
    }
  ],
  [
    'at a token endpoint',
    (trusted = workloads) => {
      const decisions: Decision[] = []
      const router = tokenRouter({
        ...{ issuer, clients, keys, workloads: trusted, store: memoryStore(), scopes: ['jobs'], certificateMethods: true },
        onDecision: decision => void decisions.push(decision),
        onError: () => undefined
      })
      const app = express().use((req, _res, next) => {
        req.url = '/oauth2/token'
        next()
      })
      return { app: app.use('/oauth2', router), decisions, errors: [] }
    }
  ]
]

describe.each(x509Apps)('spiffe_x509 over TLS, %s', (name, app) => {
  const send = { client_id: 'mtls', scope: 'jobs', grant_type: 'client_credentials' }
  const expectIn = (response: Response) => {
    if (name === 'alone') expectClient(response, 'mtls')
    else expect([response.status, (response.body as { scope?: string }).scope]).toEqual([200, 'jobs'])
  }

  it('lets in the workload whose SPIFFE ID the client registered', async () => {
    const under = app()
    expectIn(await postOver(under.app, tlsClient(x509Svid()), send))
    expect(under.decisions[0]?.credential).toMatch(/^x5t#S256:/)
  })

  it('lets it in over an intermediate that it sends along, and not without', async () => {
    const below = x509Svid({ issuer: between })
    expectIn(await postOver(app().app, tlsClient(below, between), send))
    const under = app()
    expectRefused(await postOver(under.app, tlsClient(below), send))
    expect(under.decisions[0]?.checks.find(({ outcome }) => outcome === 'fail')).toMatchObject({
      check: 'certificate_chain',
      fix: expect.stringContaining('intermediate')
    })
  })

  const stranger = makeAuthority({ subject: 'SPIRE root' })
  it.each([
    ['two URI names', 'spiffe_id', () => x509Svid({ sans: { uri: ['spiffe://prod.example/billing', 'https://a.example'] } })],
    ['no URI name', 'spiffe_id', () => x509Svid({ sans: { dns: ['billing.example'] } })],
    ['another SPIFFE ID', 'spiffe_id', () => x509Svid({ id: 'spiffe://prod.example/other' })],
    [
      'a SPIFFE ID of another trust domain, signed by this one',
      'spiffe_id',
      () => x509Svid({ id: 'spiffe://dev.example/billing' })
    ],
    ['the certificate of an authority', 'certificate_usage', () => x509Svid({ ca: true })],
    [
      'a key usage that signs certificates',
      'certificate_usage',
      () => x509Svid({ extensions: [keyUsage('digitalSignature', 'keyCertSign')] })
    ],
    [
      'a key usage that signs revocation lists',
      'certificate_usage',
      () => x509Svid({ extensions: [keyUsage('digitalSignature', 'cRLSign')] })
    ],
    ['a key usage without digitalSignature', 'certificate_usage', () => x509Svid({ extensions: [keyUsage('keyAgreement')] })],
    ['no key usage', 'certificate_usage', () => x509Svid({ extensions: [] })],
    ['an authority of the same name', 'certificate_chain', () => x509Svid({ issuer: stranger })],
    ['a SPIFFE ID in upper case', 'spiffe_id', () => x509Svid({ id: 'spiffe://PROD.example/billing' })],
    ['a trust domain alone', 'spiffe_id', () => x509Svid({ id: 'spiffe://prod.example' })],
    ['an end that is over', 'certificate_validity', () => x509Svid({ notAfter: new Date(Date.now() - 60_000) })]
  ] as const)('refuses %s at %s', async (_, check, make) => {
    const under = app()
    expectRefused(await postOver(under.app, tlsClient(make()), send))
    expect(notPassed(under)).toEqual([`${check}:fail`])
  })

  it('refuses a connection without a certificate, and keys of JWT-SVIDs for certificates', async () => {
    const under = app()
    expectRefused(await postOver(under.app, undefined, send))
    expect(notPassed(under)).toEqual(['certificate:fail'])
    // the domain of the SPIFFE ID vouches, and no other that is trusted too
    const foreign = { trustDomain: 'dev.example', bundle: { keys: [x509Key(makeAuthority({ subject: 'dev' }))] } }
    const two = app({ ...workloads, trustDomains: [...(workloads.trustDomains ?? []), foreign] })
    const ofDev = tlsClient(x509Svid({ id: 'spiffe://dev.example/billing' }))
    expectRefused(await postOver(two.app, ofDev, { ...send, client_id: 'mtls-dev' }))
    expect(notPassed(two)).toEqual(['certificate_chain:fail'])
    const crossed = { keys: [{ ...x509Key(root), use: 'jwt-svid', kid: 'a' }, { ...spireKey }] }
    const without = app({ ...workloads, trustDomains: [{ trustDomain: 'prod.example', bundle: crossed }] })
    expectRefused(await postOver(without.app, tlsClient(x509Svid()), send))
    expect(notPassed(without)).toEqual(['certificate_chain:fail'])
  })
})
