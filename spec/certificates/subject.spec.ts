import { describe, expect, it } from '@jest/globals'
import { certificateSubjectProblem, matchSubject } from '../../lib/certificates/subject.ts'
import { parseCertificate } from '../../lib/certificates/x509/certificate.ts'
import { toClient, type Client, type ClientMetadata } from '../../lib/clients/client.ts'
import { DecisionBuilder } from '../../lib/decisions/builder.ts'
import { makeCertificate } from '../support/certificates/certificates.ts'
import { refusal } from '../assertions/signing.ts'

const certificate = parseCertificate(
  makeCertificate({
    subject: [
      ['C', 'BR'],
      ['O', 'Example, Inc.'],
      ['OU', 'Größe & Co'],
      [
        ['CN', 'billing'],
        ['UID', '42']
      ]
    ],
    sans: {
      dns: ['billing.example.com', '*.wild.example'],
      uri: ['https://example.com/billing', 'spiffe://example.com/billing'],
      ip: ['192.0.2.7', '2001:db8::7', '::ffff:198.51.100.7'],
      email: ['Billing@Example.com']
    }
  }).der
)

function clientOf(metadata: Partial<ClientMetadata>): Client {
  return toClient({ client_id: 'billing', token_endpoint_auth_method: 'tls_client_auth', ...metadata })
}

function match(metadata: Partial<ClientMetadata>, against = certificate): void {
  matchSubject(clientOf(metadata), against, new DecisionBuilder('token'))
}

type Case = [member: string, value: string]

const matching: Case[] = [
  ['tls_client_auth_subject_dn', 'CN=billing+UID=42,OU=Größe & Co,O=Example\\, Inc.,C=BR'],
  ['tls_client_auth_subject_dn', 'uid=42+cn=BILLING, ou=gröSSe & co, o=example\\2c inc., c=br'.replace('SS', 'ß')],
  ['tls_client_auth_subject_dn', 'CN = billing + UID = 42, OU = Gr\\C3\\B6\\C3\\9Fe & Co, O = "Example, Inc.", C = BR'],
  [
    'tls_client_auth_subject_dn',
    '2.5.4.3=billing+0.9.2342.19200300.100.1.1=42,2.5.4.11=Größe  &  Co,2.5.4.10=Example\\, Inc.,2.5.4.6=#13024252'
  ],
  ['tls_client_auth_san_dns', 'billing.example.com'],
  ['tls_client_auth_san_dns', 'Billing.Example.COM'],
  ['tls_client_auth_san_dns', '*.wild.example'],
  ['tls_client_auth_san_uri', 'spiffe://example.com/billing'],
  ['tls_client_auth_san_ip', '192.0.2.7'],
  ['tls_client_auth_san_ip', '2001:db8::7'],
  ['tls_client_auth_san_ip', '2001:0DB8:0000::0007'],
  ['tls_client_auth_san_ip', '::ffff:192.0.2.7'],
  ['tls_client_auth_san_ip', '198.51.100.7'],
  ['tls_client_auth_san_email', 'Billing@example.COM']
]

const different: Case[] = [
  ['tls_client_auth_subject_dn', 'CN=billing'],
  ['tls_client_auth_subject_dn', 'CN=billing,OU=Größe & Co,O=Example\\, Inc.,C=BR'],
  ['tls_client_auth_subject_dn', 'C=BR,O=Example\\, Inc.,OU=Größe & Co,CN=billing+UID=42'],
  ['tls_client_auth_subject_dn', 'O=Example\\, Inc.,CN=billing+UID=42,OU=Größe & Co,C=BR'],
  ['tls_client_auth_subject_dn', 'CN=billing,UID=42,OU=Größe & Co,O=Example\\, Inc.,C=BR'],
  ['tls_client_auth_san_dns', 'example.com'],
  ['tls_client_auth_san_dns', 'a.wild.example'],
  ['tls_client_auth_san_dns', 'billing.example.com.'],
  ['tls_client_auth_san_dns', 'https://example.com/billing'],
  ['tls_client_auth_san_uri', 'https://example.com/billing/'],
  ['tls_client_auth_san_uri', 'HTTPS://example.com/billing'],
  ['tls_client_auth_san_uri', 'billing.example.com'],
  ['tls_client_auth_san_ip', '192.0.2.8'],
  ['tls_client_auth_san_ip', '2001:db8::8'],
  ['tls_client_auth_san_email', 'billing@example.com'],
  ['tls_client_auth_san_email', 'Billing@example.org']
]

const malformed: Case[] = [
  ['tls_client_auth_subject_dn', '/C=BR/CN=billing'],
  ['tls_client_auth_subject_dn', 'billing'],
  ['tls_client_auth_subject_dn', ' '],
  ['tls_client_auth_san_ip', '192.0.2.07'],
  ['tls_client_auth_san_ip', '192.0.2.0/24'],
  ['tls_client_auth_san_ip', '0xc0000207'],
  ['tls_client_auth_san_ip', 'billing.example.com'],
  ['tls_client_auth_san_email', 'example.com']
]

describe('matchSubject', () => {
  it.each(matching)('%s: %s', (member, value) => {
    match({ [member]: value })
  })

  it.each(different)('not %s: %s', async (member, value) => {
    const check = await refusal(() => match({ [member]: value }))
    expect(check).toMatchObject({ check: 'certificate_subject', expected: value })
    expect(check.received).toBeTruthy()
  })

  it.each([
    'C=BR,O=Example\\, Inc.,OU=Größe & Co,CN=billing+UID=42',
    'c = br, o="Example, Inc.", ou=größe & co, uid=42 + cn=Billing'
  ])('names the spelling to register where the order is reversed: %s', async tls_client_auth_subject_dn => {
    const spelling = 'CN=billing+UID=42,OU=Größe & Co,O=Example\\, Inc.,C=BR'
    const check = await refusal(() => match({ tls_client_auth_subject_dn }))
    expect(check).toMatchObject({ received: spelling, fix: expect.stringContaining(`Register ${spelling}:`) })
    match({ tls_client_auth_subject_dn: spelling })
  })

  it('says nothing of an order where another name is registered', async () => {
    for (const tls_client_auth_subject_dn of ['CN=billing', 'C=BR,CN=billing+UID=42,O=Example\\, Inc.,OU=Größe & Co'])
      expect((await refusal(() => match({ tls_client_auth_subject_dn }))).fix).toMatch(/^Present a certificate with/)
  })

  it.each(malformed)('not a registered %s of %j, which is wrong in itself', async (member, value) => {
    const check = await refusal(() => match({ [member]: value }))
    expect(check).toMatchObject({ check: 'certificate_subject', fix: expect.stringContaining('Correct the registered') })
  })

  it.each(matching)('not %s: %s where the certificate has no such name', async (member, value) => {
    const bare = parseCertificate(makeCertificate({ subject: [] }).der)
    expect(await refusal(() => match({ [member]: value }, bare))).toMatchObject({
      check: 'certificate_subject',
      received: 'no such name'
    })
  })

  it('is not fooled by what stands behind a NUL', async () => {
    const tricky = parseCertificate(
      makeCertificate({
        subject: [['CN', 'billing\0.evil.example']],
        sans: { dns: ['billing.example.com\0.evil.example'], email: ['a@example.com\0.evil.example'], uri: ['urn:a\0b'] }
      }).der
    )
    for (const metadata of [
      { tls_client_auth_subject_dn: 'CN=billing' },
      { tls_client_auth_san_dns: 'billing.example.com' },
      { tls_client_auth_san_email: 'a@example.com' },
      { tls_client_auth_san_uri: 'urn:a' }
    ])
      expect(await refusal(() => match(metadata, tricky))).toMatchObject({ check: 'certificate_subject' })
  })

  it('passes the check, once, for any number of certificates', () => {
    const decision = new DecisionBuilder('token')
    const client = clientOf({ tls_client_auth_subject_dn: 'CN=a' })
    matchSubject(client, parseCertificate(makeCertificate({ subject: 'a' }).der), decision)
    matchSubject(client, parseCertificate(makeCertificate({ subject: 'A' }).der), new DecisionBuilder('token'))
    expect(decision.finish('authenticated').checks).toEqual([{ check: 'certificate_subject', outcome: 'pass' }])
  })

  it.each([{}, { tls_client_auth_san_dns: 'billing.example.com', tls_client_auth_san_uri: 'https://example.com/billing' }])(
    'not a registration with not exactly one subject: %j',
    async metadata => {
      // such a registration is refused where clients are read; here it must not count as a match either
      const client = { ...clientOf({ tls_client_auth_san_dns: 'x' }), tls_client_auth_san_dns: undefined, ...metadata }
      expect(await refusal(() => matchSubject(client, certificate, new DecisionBuilder('token')))).toMatchObject({
        check: 'certificate_subject'
      })
    }
  )
})

describe('certificateSubjectProblem', () => {
  it.each([...matching, ...different])('finds none in %s: %s', (member, value) => {
    expect(certificateSubjectProblem(member as 'tls_client_auth_san_ip', value)).toBeUndefined()
  })

  it.each(malformed)('finds one in %s: %j', (member, value) => {
    expect(certificateSubjectProblem(member as 'tls_client_auth_san_ip', value)).toEqual(expect.any(String))
  })
})
