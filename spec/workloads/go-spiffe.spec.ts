/** SPIFFE's library in Go: makes trust domains that this library reads, and judges bundles, SVIDs and SPIFFE IDs beside it. */
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readBundle } from '../../lib/assertions/workloads/bundle.ts'
import { parseSpiffeId } from '../../lib/clients/spiffe-id.ts'
import { makeAuthority, type MadeCertificate } from '../support/certificates/certificates.ts'
import { keyUsage } from '../support/certificates/extensions.ts'
import { whereThereIs } from '../support/checks/tools.ts'
import { tlsFetch } from '../support/journeys/fetch.ts'
import { serverAuthority, startServer, type RunningServer } from '../support/journeys/server.ts'
import { jwtSpiffe } from '../support/servers/workloads.ts'
import { buildGoSpiffe, type Answer, type GoSpiffe } from '../support/workloads/go-spiffe/go-spiffe.ts'
import { makeTrustDomain } from '../support/workloads/trust-domain.ts'

const day = 86_400_000
const clientFor = (method: string) => ({
  metadata: {
    client_id: method,
    token_endpoint_auth_method: method,
    spiffe_id: 'spiffe://prod.example/*',
    grant_types: ['client_credentials'],
    response_types: []
  }
})

/** A server that trusts prod.example by what its bundle endpoint answers. */
const serving = (bundle: () => unknown): Promise<RunningServer> =>
  startServer({
    clients: ['spiffe_jwt', 'spiffe_x509'].map(clientFor),
    listeners: 'aliases',
    options: {
      workloads: {
        trustDomains: [{ trustDomain: 'prod.example', bundleEndpoint: 'https://spire.prod.example/bundle' }],
        fetchJson: () => Promise.resolve({ json: bundle() })
      }
    }
  })

type KeptCertificate = Pick<MadeCertificate, 'pem' | 'keyPem'>

async function tokenFrom(
  { issuer, mtlsOrigin = issuer }: RunningServer,
  form: Readonly<Record<string, string>>,
  certificate?: KeptCertificate
): Promise<number> {
  const fetch = tlsFetch({ ca: serverAuthority.pem, certificate })
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...form })
  return (await fetch(`${certificate === undefined ? issuer : mtlsOrigin}/oauth2/token`, { method: 'POST', body })).status
}

const byJwt = (at: RunningServer, client_assertion: string) =>
  tokenFrom(at, { client_assertion, client_assertion_type: jwtSpiffe })
const byCertificate = (at: RunningServer, certificate: KeptCertificate) =>
  tokenFrom(at, { client_id: 'spiffe_x509' }, certificate)

whereThereIs('go')('go-spiffe', () => {
  let go: GoSpiffe
  let made: Answer['made']
  let server: RunningServer

  beforeAll(async () => {
    go = await buildGoSpiffe()
    server = await serving(() => made.bundle)
    made = (await go.ask({ make: 'prod.example', audience: server.issuer })).made
  }, 300_000)
  afterAll(async () => {
    await server.close()
    go.close()
  })

  it('its bundle is read as it meant it', () => {
    expect(readBundle(made.bundle)).toMatchObject({
      sequence: 7,
      refreshHint: 600,
      jwtKeys: { length: 7 },
      certificates: { length: 2 }
    })
  })

  it.each(['ES256', 'ES384', 'ES512', 'RS256', 'RS512', 'PS256', 'PS384'])(
    'its JWT-SVIDs prove clients, signed by %s',
    async alg => {
      expect(await byJwt(server, made.jwt[alg] ?? '')).toBe(200)
      expect(server.decisions.at(-1)).toMatchObject({ outcome: 'authenticated', method: 'spiffe_jwt' })
    }
  )

  it.each(['p256', 'p384', 'rsa'])('its X.509-SVIDs prove clients over TLS, of a key %s', async key => {
    const { pem = '', keyPem = '' } = made.x509[key] ?? {}
    expect(await byCertificate(server, { pem, keyPem })).toBe(200)
    expect(server.decisions.at(-1)).toMatchObject({ outcome: 'authenticated', method: 'spiffe_x509' })
    const [leaf = ''] = pem.split(/(?<=-----END CERTIFICATE-----\n)/)
    expect(await byCertificate(server, { pem: leaf, keyPem })).toBe(401)
  })

  it('judges JWT-SVIDs as this library does, one rule of the draft aside', async () => {
    const domain = await makeTrustDomain()
    const foreign = await makeTrustDomain()
    const at = await serving(() => domain.bundle)
    const now = Math.floor(Date.now() / 1000)
    const svid = (parts = {}, path = '/jwt') => domain.jwtSvid(path, at.issuer, parts)
    const cases: [name: string, token: string, taken: readonly [go: boolean, ours: boolean]][] = [
      ['a good one', await svid(), [true, true]],
      ['typ JOSE', await svid({ header: { typ: 'JOSE' } }), [true, true]],
      ['typ of an access token', await svid({ header: { typ: 'at+jwt' } }), [false, false]],
      ['no end', await svid({ claims: { exp: undefined } }), [false, false]],
      ['an end two minutes ago', await svid({ claims: { iat: now - 600, exp: now - 120 } }), [false, false]],
      ['a beginning in five minutes', await svid({ claims: { nbf: now + 300 } }), [false, false]],
      ['no subject', await svid({ claims: { sub: undefined } }), [false, false]],
      ['a subject of no grammar', await svid({}, '/a//b'), [false, false]],
      ['a key that is not there', await svid({ header: { kid: 'x' } }), [false, false]],
      ['another’s signature', await foreign.jwtSvid('/jwt', at.issuer), [false, false]],
      ['another audience', await svid({ claims: { aud: 'https://other.example' } }), [false, false]],
      // draft-ietf-oauth-spiffe-client-auth: this issuer and nobody else
      ['two audiences', await svid({ claims: { aud: [at.issuer, 'https://other.example'] } }), [true, false]]
    ]
    const question = { trust_domain: 'prod.example', bundles: [domain.bundle], audience: at.issuer }
    const { jwt } = await go.ask({ ...question, jwt: cases.map(([, token]) => token) })
    for (const [index, [name, token, taken]] of cases.entries()) {
      const ours = (await byJwt(at, token)) === 200
      expect([name, jwt[index]?.startsWith('spiffe://prod.example/jwt'), ours]).toEqual([name, ...taken])
    }
    await at.close()
  })

  it('judges X.509-SVIDs as this library does, one rule of the specification aside', async () => {
    const domain = await makeTrustDomain()
    const uri = 'spiffe://prod.example/x'
    const signs = keyUsage('keyCertSign', 'cRLSign')
    const between = makeAuthority({ subject: 'between', issuer: domain.authority, extensions: [signs] })
    const ended = { notBefore: new Date(Date.now() - 2 * day), notAfter: new Date(Date.now() - day) }
    const stranger = await makeTrustDomain()
    const below = domain.x509Svid('/x', { issuer: between })
    const parent = domain.x509Svid('/parent')
    const cases: [name: string, chain: readonly MadeCertificate[], taken: readonly [go: boolean, ours: boolean]][] = [
      ['a good one', [domain.x509Svid('/x')], [true, true]],
      ['one with an intermediate', [below, between], [true, true]],
      ['one without its intermediate', [below], [false, false]],
      ['two URI names', [domain.x509Svid('/x', { sans: { uri: [uri, `${uri}2`] } })], [false, false]],
      ['a DNS name beside', [domain.x509Svid('/x', { sans: { uri: [uri], dns: ['x.example'] } })], [true, true]],
      ['no URI name', [domain.x509Svid('/x', { sans: { dns: ['x.example'] } })], [false, false]],
      ['a URI that is no SPIFFE ID', [domain.x509Svid('/x', { sans: { uri: ['https://prod.example/x'] } })], [false, false]],
      ['an upper-case domain', [domain.x509Svid('/x', { sans: { uri: ['spiffe://PROD.example/x'] } })], [false, false]],
      ['an authority', [domain.x509Svid('/x', { ca: true, extensions: [signs] })], [false, false]],
      [
        'one that signs lists',
        [domain.x509Svid('/x', { extensions: [keyUsage('digitalSignature', 'cRLSign')] })],
        [false, false]
      ],
      ['one that has ended', [domain.x509Svid('/x', ended)], [false, false]],
      ['one of another domain’s authority', [stranger.x509Svid('/x')], [false, false]],
      [
        'another domain, by this authority',
        [domain.x509Svid('/x', { sans: { uri: ['spiffe://dev.example/x'] } })],
        [false, false]
      ],
      ['one that a leaf issued', [domain.x509Svid('/x', { issuer: parent }), parent], [false, false]],
      // X.509-SVID §4.3: a leaf must have it; go-spiffe asks for it where it loads its own SVID only
      ['one that may not sign', [domain.x509Svid('/x', { extensions: [keyUsage('keyAgreement')] })], [true, false]]
    ]
    const at = await serving(() => domain.bundle)
    const chains = cases.map(([, chain]) => chain.map(({ der }) => der.toString('base64')))
    const { x509 } = await go.ask({ trust_domain: 'prod.example', bundles: [domain.bundle], x509: chains })
    for (const [index, [name, chain, taken]] of cases.entries()) {
      const pem = chain.map(one => one.pem).join('')
      const ours = (await byCertificate(at, { pem, keyPem: chain[0]?.keyPem ?? '' })) === 200
      expect([name, x509[index]?.startsWith('spiffe://prod.example/'), ours]).toEqual([name, ...taken])
    }
    await at.close()
  })

  it('reads bundles as this library does; what is malformed it refuses whole, and here is passed over', async () => {
    const { keys } = made.bundle
    const [jwt] = keys.filter(({ use }) => use === 'jwt-svid')
    const [x509] = keys.filter(({ use }) => use === 'x509-svid')
    const documents: [document: object, agreed: boolean][] = [
      [made.bundle, true],
      [{ keys: [jwt], spiffe_sequence: 0, spiffe_refresh_hint: 90 }, true],
      [{ keys: [x509] }, true],
      [{ keys: [] }, true],
      [{ keys: [jwt, { ...jwt, use: 'sig', kid: 'of-another-use' }, { ...x509, use: undefined }] }, true],
      [{ keys: [{ ...jwt, kid: undefined }] }, false],
      [{ keys: [{ ...x509, x5c: [...(x509?.x5c ?? []), ...(x509?.x5c ?? [])] }] }, false],
      [{ keys: [{ ...x509, x5c: undefined }] }, false]
    ]
    const { bundles } = await go.ask({ trust_domain: 'prod.example', bundles: documents.map(([document]) => document) })
    for (const [index, [document, agreed]] of documents.entries()) {
      const read = readBundle(document)
      const { refused, hint = 0, ...facts } = bundles[index] ?? {}
      expect(refused === undefined).toBe(agreed)
      if (refused !== undefined) expect(read).toMatchObject({ jwtKeys: [], certificates: [] })
      else {
        const sequence = read?.sequence === undefined ? {} : { sequence: read.sequence }
        expect({ jwt: read?.jwtKeys.length, x509: read?.certificates.length, ...sequence }).toEqual(facts)
        expect(read?.refreshHint).toBe(hint === 0 ? 300 : hint)
      }
    }
  })

  it('has the same grammar of SPIFFE IDs', async () => {
    const piece = fc.constantFrom(
      'a',
      'Z',
      '9',
      '-',
      '_',
      '.',
      '..',
      '/',
      '//',
      '%41',
      ':',
      '@',
      '~',
      '?',
      '#',
      ' ',
      'é',
      '\0',
      '*'
    )
    const text = fc.array(piece, { maxLength: 8 }).map(pieces => pieces.join(''))
    const id = fc.oneof(
      text.map(rest => `spiffe://${rest}`),
      fc.tuple(text, text).map(([domain, path]) => `spiffe://a${domain}/${path}`),
      fc
        .tuple(fc.constantFrom('SPIFFE', 'spiffe', 'https', ''), fc.constantFrom('://', ':/', ':', ''))
        .map(parts => `${parts.join('')}a/b`)
    )
    const ids = fc.sample(id, 5000)
    const read = await go.ask({ ids })
    const ours = ids.map(one => parseSpiffeId(one))
    const theirs = read.ids.map(one => (one.startsWith('refused') ? undefined : one))
    expect(ours.map(one => one && `${one.trustDomain} ${one.path}`)).toEqual(theirs)
    expect(theirs.filter(one => one !== undefined).length).toBeGreaterThan(100)
  })
})
