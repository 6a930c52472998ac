import { afterAll, describe, expect, it } from '@jest/globals'
import { Agent, request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { ClientMetadata } from '../../lib/clients/client.ts'
import { ConfigurationError } from '../../lib/options.ts'
import type { StrategyOptions } from '../../lib/strategies/attempt.ts'
import { TlsClientAuthStrategy } from '../../lib/strategies/tls-client-auth.ts'
import { makeAuthority, makeCertificate } from '../support/certificates/certificates.ts'
import {
  bareMounts,
  basic,
  encode,
  expectClient,
  expectRefused,
  mounts,
  notPassed,
  post,
  slowly,
  withMiddleware,
  withPassport,
  type StrategySetup
} from '../support/servers/strategy-app.ts'
import { describeBadParameters } from './bad-parameters.ts'
import { authority, postOver, tlsClient, tlsServer, type TlsClient } from './tls-requests.ts'

const method = 'tls_client_auth'
const subject = [
  ['C', 'DE'],
  ['O', 'Example, Inc.'],
  ['CN', 'billing']
] as const
const sans = {
  dns: ['billing.example.com', '*.wild.example.com'],
  uri: ['urn:example:billing'],
  ip: ['10.1.2.3', '2001:db8::1'],
  email: ['billing@example.com']
}
const day = 86_400_000
const intermediate = makeAuthority({ subject: 'intermediate', issuer: authority })
const strangers = makeAuthority({ subject: 'spec authority' })
const right = makeCertificate({ subject, sans, issuer: authority })
const good = tlsClient(right)

const registered = (client_id: string, member: string, value: string): ClientMetadata => ({
  client_id,
  token_endpoint_auth_method: method,
  [`tls_client_auth_${member}`]: value
})
const clients: ClientMetadata[] = [
  registered('billing', 'subject_dn', 'CN=billing,O=Example\\, Inc.,C=DE'),
  registered('spaced', 'subject_dn', 'cn=Billing, o="Example, Inc." , c=de'),
  registered('reversed', 'subject_dn', 'C=DE,O=Example\\, Inc.,CN=billing'),
  registered('shuffled', 'subject_dn', 'O=Example\\, Inc.,CN=billing,C=DE'),
  registered('part', 'subject_dn', 'CN=billing'),
  registered('broken', 'subject_dn', 'billing'),
  registered('dns', 'san_dns', 'Billing.EXAMPLE.com'),
  registered('dns-wild', 'san_dns', 'a.wild.example.com'),
  registered('dns-other', 'san_dns', 'billing.example.com.attacker.example'),
  registered('uri', 'san_uri', 'urn:example:billing'),
  registered('uri-case', 'san_uri', 'urn:example:Billing'),
  registered('ip', 'san_ip', '10.1.2.3'),
  registered('ip-mapped', 'san_ip', '::ffff:10.1.2.3'),
  registered('ip6', 'san_ip', '2001:DB8:0:0:0:0:0:1'),
  registered('ip-other', 'san_ip', '10.1.2.30'),
  registered('email', 'san_email', 'billing@EXAMPLE.com'),
  registered('email-case', 'san_email', 'Billing@example.com'),
  { client_id: 'self-signed', token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: { keys: [right.jwk] } },
  { client_id: 'basic', client_secret: 'secret', tls_client_auth_subject_dn: 'CN=billing,O=Example\\, Inc.,C=DE' },
  { client_id: 'public', token_endpoint_auth_method: 'none' }
]
const strategy: StrategySetup['strategy'] = options => new TlsClientAuthStrategy(options)
const setup: StrategySetup = { clients, strategy }

const refused: readonly (readonly [what: string, client_id: string, certificate: TlsClient | undefined, check: string])[] = [
  ['no certificate', 'billing', undefined, 'certificate:fail'],
  ['an unknown client', 'nobody', good, 'client:fail'],
  [
    'another subject',
    'billing',
    tlsClient(makeCertificate({ subject: 'billing', issuer: authority })),
    'certificate_subject:fail'
  ],
  [
    'a subject and one RDN more',
    'billing',
    tlsClient(makeCertificate({ subject: [...subject, ['OU', 'x']], issuer: authority })),
    'certificate_subject:fail'
  ],
  [
    'a subject that is written as one name',
    'billing',
    tlsClient(makeCertificate({ subject: 'billing,O=Example\\, Inc.,C=DE', issuer: authority })),
    'certificate_subject:fail'
  ],
  ['the reverse order', 'reversed', good, 'certificate_subject:fail'],
  ['another order', 'shuffled', good, 'certificate_subject:fail'],
  ['a part of the subject', 'part', good, 'certificate_subject:fail'],
  ['a registered DN that is none', 'broken', good, 'certificate_subject:fail'],
  [
    'another authority of the same name',
    'billing',
    tlsClient(makeCertificate({ subject, sans, issuer: strangers }), strangers),
    'certificate_chain:fail'
  ],
  ['a certificate it signed itself', 'billing', tlsClient(makeCertificate({ subject, sans })), 'certificate_chain:fail'],
  [
    'a certificate signed by one that is no authority',
    'billing',
    tlsClient(makeCertificate({ subject, sans, issuer: right }), right),
    'certificate_chain:fail'
  ],
  [
    'a missing intermediate',
    'billing',
    tlsClient(makeCertificate({ subject, sans, issuer: intermediate })),
    'certificate_chain:fail'
  ],
  [
    'an expired certificate',
    'billing',
    tlsClient(
      makeCertificate({
        subject,
        issuer: authority,
        notBefore: new Date(Date.now() - 2 * day),
        notAfter: new Date(Date.now() - day)
      })
    ),
    'certificate_chain:fail'
  ],
  [
    'a certificate of tomorrow',
    'billing',
    tlsClient(
      makeCertificate({
        subject,
        issuer: authority,
        notBefore: new Date(Date.now() + day),
        notAfter: new Date(Date.now() + 2 * day)
      })
    ),
    'certificate_chain:fail'
  ],
  ['a wildcard', 'dns-wild', good, 'certificate_subject:fail'],
  ['a longer DNS name', 'dns-other', good, 'certificate_subject:fail'],
  ['a URI in other letters', 'uri-case', good, 'certificate_subject:fail'],
  ['another address', 'ip-other', good, 'certificate_subject:fail'],
  ['a mailbox in other letters', 'email-case', good, 'certificate_subject:fail'],
  ['a client of self_signed_tls_client_auth', 'self-signed', good, 'registered_method:fail'],
  ['a client of client_secret_basic', 'basic', good, 'registered_method:fail'],
  ['a public client', 'public', good, 'registered_method:fail']
]

describe.each(mounts)('tls_client_auth through %s', (_way, mount) => {
  it('authenticates by whichever subject is registered', async () => {
    const tested = mount(setup)
    for (const client_id of ['billing', 'spaced', 'dns', 'uri', 'ip', 'ip-mapped', 'ip6', 'email']) {
      expectClient(await postOver(tested.app, good, { scope: 'jobs', client_id }), client_id)
      const credential = `x5t#S256:${right.thumbprint}`
      expect(tested.decisions.at(-1)).toMatchObject({
        outcome: 'authenticated',
        client_id,
        method,
        mechanism: 'client_id',
        credential
      })
    }
    const chain = tlsClient(makeCertificate({ subject, issuer: intermediate }), intermediate)
    expectClient(await postOver(tested.app, chain, { scope: 'jobs', client_id: 'billing' }), 'billing')
  })
})

describe.each(bareMounts)('a certificate through %s', (_way, mount) => {
  it('is refused in the same words wherever it is another', async () => {
    const tested = mount(setup)
    const failed: Record<string, readonly string[]> = {}
    for (const [what, client_id, certificate] of refused) {
      expectRefused(await postOver(tested.app, certificate, { scope: 'jobs', client_id }))
      failed[what] = notPassed(tested)
    }
    expect(failed).toEqual(Object.fromEntries(refused.map(([what, , , check]) => [what, [check]])))
  })
})

describe('a request that is not of this method', () => {
  it.each([
    ['no client_id', { scope: 'jobs' }, {}],
    ['a secret', { client_id: 'billing', client_secret: 'x' }, {}],
    ['an assertion', { client_id: 'billing', client_assertion: 'x', client_assertion_type: 'y' }, {}],
    ['half an assertion', { client_id: 'billing', client_assertion_type: 'y' }, {}],
    ['an Authorization header', { client_id: 'billing' }, basic('billing', 'x')]
  ])('is Passport’s own 401: %s', async (_what, form, headers) => {
    const { app } = withPassport()(setup)
    const response = await postOver(app, good, form, headers)
    expect([response.status, response.text]).toEqual([401, 'Unauthorized'])
    expectRefused(await postOver(withPassport([], [], { failWithError: true })(setup).app, good, form, headers))
  })
})

it('a plain connection has no certificate', async () => {
  const tested = withMiddleware()(setup)
  const headers = {
    'Client-Cert': `:${right.der.toString('base64')}:`,
    'X-Forwarded-Client-Cert': `Cert="${encodeURIComponent(right.pem)}"`
  }
  expectRefused(await post(tested.app, { client_id: 'billing' }, headers))
  expect(notPassed(tested)).toEqual(['certificate:fail'])
})

describeBadParameters(setup, () => ({ client_id: 'billing', scope: 'jobs' }), ['client_id'], 401)

describe('connections', () => {
  const servers: ReturnType<typeof tlsServer>[] = []
  const agents: Agent[] = []
  afterAll(() => {
    agents.forEach(agent => agent.destroy())
    servers.forEach(server => server.close())
  })

  async function serve(mount: ReturnType<typeof withPassport>, given: StrategySetup): Promise<number> {
    const server = tlsServer(mount(given).app)
    servers.push(server)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  }

  function connection(client: TlsClient, maxVersion: 'TLSv1.2' | 'TLSv1.3', keepAlive: boolean): Agent {
    const agent = new Agent({ ...client, ca: authority.pem, maxVersion, keepAlive, maxCachedSessions: 10 })
    agents.push(agent)
    return agent
  }

  function send(port: number, agent: Agent, client_id: string): Promise<{ status: number; body: string; resumed: boolean }> {
    const body = encode({ scope: 'jobs', client_id })
    return new Promise((resolve, reject) => {
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': Buffer.byteLength(body) }
      const sent = httpsRequest({ host: '127.0.0.1', port, method: 'POST', agent, headers }, response => {
        let text = ''
        const resumed = 'isSessionReused' in response.socket && (response.socket.isSessionReused as () => boolean)()
        response.on('data', chunk => (text += String(chunk)))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text, resumed }))
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('that are resumed keep what their certificate was worth: %s', async version => {
    const port = await serve(withMiddleware(), setup)
    const untrusted = connection(tlsClient(makeCertificate({ subject, sans })), version, false)
    const trusted = connection(good, version, false)
    for (const expected of [false, true]) {
      expect(await send(port, untrusted, 'billing')).toMatchObject({ status: 401, resumed: expected })
      expect(await send(port, trusted, 'billing')).toMatchObject({ status: 200, resumed: expected })
    }
  })

  it.each([
    ['passport.authenticate', withPassport()],
    ['authenticateClient', withMiddleware()]
  ])('that overlap never swap clients: %s', async (_way, mount) => {
    const names = Array.from({ length: 10 }, (_, index) => `client-${index}`)
    const port = await serve(mount, { clients: slowly(names.map(name => registered(name, 'san_dns', name))), strategy })
    const connections = names.map(name =>
      connection(tlsClient(makeCertificate({ issuer: authority, sans: { dns: [name] } })), 'TLSv1.3', true)
    )
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all(
        connections.flatMap((agent, index) => [
          send(port, agent, `client-${index}`),
          send(port, agent, `client-${(index + 1) % 10}`)
        ])
      )
      const expected = names.flatMap(client_id => [
        JSON.stringify({ client_id, user: null, scope: 'jobs' }),
        expect.stringContaining('invalid_client')
      ])
      expect(answers.map(({ body }) => body)).toEqual(expected)
    }
  })
})

it.each([
  ['clients', undefined],
  ['clock', 5],
  ['fetchJson', fetch],
  ['client', []]
])('TlsClientAuthStrategy refuses the option %s: %p', (key, value) => {
  const options = { clients, [key]: value } as StrategyOptions
  expect(() => new TlsClientAuthStrategy(options)).toThrow(ConfigurationError)
  expect(() => new TlsClientAuthStrategy(options)).toThrow(expect.objectContaining({ key }))
})
