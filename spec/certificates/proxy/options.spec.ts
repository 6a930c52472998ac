import { describe, expect, it } from '@jest/globals'
import { certificateHeaders, ConfigurationError, proxyCertificate, type ProxyCertificateOptions } from '../../../lib/index.ts'
import { makeAuthority, makeCertificate } from '../../support/certificates/certificates.ts'

const root = makeAuthority({ subject: 'root' })
const sub = makeAuthority({ subject: 'sub', issuer: root })
const leaf = makeCertificate({ subject: 'billing', issuer: root })
const proxy = '10.0.0.5'

const source = (options: Partial<ProxyCertificateOptions>) =>
  proxyCertificate({ ...certificateHeaders.rfc9440, trustedProxies: [proxy], ...options })

describe('options', () => {
  it.each<[string, Record<string, unknown>]>([
    ['trustedProxies', { trustedProxies: [] }],
    ['trustedProxies', { trustedProxies: undefined }],
    ['trustedProxies', { trustedProxies: '10.0.0.5' }],
    ['trustedProxies[1]', { trustedProxies: [proxy, '0.0.0.0/0'] }],
    ['trustedProxies[0]', { trustedProxies: ['::/0'] }],
    ['trustedProxies[0]', { trustedProxies: ['proxy.example'] }],
    ['format', { format: 'der' }],
    ['format', { format: undefined }],
    ['header', { format: 'pem', header: undefined }],
    ['header', { header: 'client cert' }],
    ['header', { header: 5 }],
    ['chainHeader', { chainHeader: 'Client-Cert' }],
    ['chainHeader', { chainHeader: '' }],
    ['chainHeader', { format: 'envoy-xfcc', chainHeader: 'x-chain' }],
    ['hops', { hops: 2 }],
    ['hops', { format: 'envoy-xfcc', chainHeader: undefined, hops: 0 }],
    ['ca', { ca: 'ca.pem' }],
    ['ca', { ca: [] }],
    ['intermediates', { intermediates: sub.pem }],
    ['intermediates', { ca: root.pem, intermediates: leaf.pem }],
    ['crl', { crl: 'x' }],
    ['crl', { ca: root.pem, crl: 'absent' }],
    ['unknownRevocation', { unknownRevocation: 'accept' }],
    ['unknownRevocation', { ca: root.pem, unknownRevocation: 'ignore' }],
    ['verifiedByProxy', { ca: root.pem, verifiedByProxy: true }],
    ['verifiedByProxy', { verifiedByProxy: 1 }],
    ['verifiedByProxy', { verifiedByProxy: 'not a header' }],
    ['otherwise', { otherwise: true }],
    ['onReport', { onReport: 'log' }],
    ['trustedProxy', { trustedProxy: [] }]
  ])('refuses a wrong %s: %j', (key, options) => {
    const make = () => source(options)
    expect(make).toThrow(ConfigurationError)
    expect(make).toThrow(expect.objectContaining({ key }))
  })

  it.each(Object.entries(certificateHeaders))('of %s are enough with the proxies', (_, preset) => {
    expect(proxyCertificate({ ...preset, trustedProxies: ['10.0.0.0/8'] })).toEqual(expect.any(Function))
  })
})
