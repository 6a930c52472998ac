/** What proxies really wrote, read and verified as behind them. */
import { describe, expect, it } from '@jest/globals'
import { certificateHeaders, InvalidRequestError, proxyCertificate, type ProxyCertificateOptions } from '../../lib/index.ts'
import { certificateFormats } from '../../lib/certificates/proxy/formats.ts'
import { pemOfBase64, requestFrom } from '../support/clients/proxy-headers.ts'
import * as recorded from '../support/clients/recorded-headers.ts'

const proxy = '192.0.2.7'
const leaf = Buffer.from(recorded.leaf, 'base64')
const ca = pemOfBase64(recorded.root)
const intermediates = pemOfBase64(recorded.authority)

type Source = Pick<ProxyCertificateOptions, 'format' | 'header'>

const presented = (source: Source, value: string, more: Partial<ProxyCertificateOptions> = {}) =>
  proxyCertificate({ ...source, trustedProxies: [proxy], ca, ...more })(requestFrom(proxy, source.header ?? '', value))

describe.each<[string, Source, string]>([
  ['Envoy', certificateHeaders.envoy, recorded.envoy.set],
  ['Envoy, with names', certificateHeaders.envoy, recorded.envoy.names],
  ['Traefik', certificateHeaders.traefik, recorded.traefik],
  ['an ALB in passthrough mode', certificateHeaders.awsAlbPassthrough, recorded.awsAlb.chain],
  ['an ALB in passthrough mode, by its example', certificateHeaders.awsAlbPassthrough, recorded.awsAlb.example]
])('%s', (_, source, value) => {
  it('is read, and its chain verified', async () => {
    const certificate = presented(source, value)
    expect(Buffer.from(certificate?.der ?? []).equals(leaf)).toBe(true)
    expect(await certificate?.verify?.(Date.now())).toEqual({ verified: true })
  })

  it('is refused where it ends before its certificate does', () => {
    // what Envoy writes behind the certificate may be missing
    const end = value.lastIndexOf(value.includes(';Subject') ? ';Subject' : value.slice(-1))
    for (let at = 1; at < end; at += 97) expect(() => presented(source, value.slice(0, at))).toThrow(InvalidRequestError)
  })
})

describe.each<[string, Source, string]>([
  ['an ALB in verify mode', certificateHeaders.awsAlb, recorded.awsAlb.leaf],
  ['Azure', certificateHeaders.azureAppService, recorded.azureAppService]
])('%s, which sends no chain', (_, source, value) => {
  it('is read, and verified with the intermediates that are configured', async () => {
    const certificate = presented(source, value, { intermediates })
    expect(Buffer.from(certificate?.der ?? []).equals(leaf)).toBe(true)
    expect(await certificate?.verify?.(Date.now())).toEqual({ verified: true })
    expect(await presented(source, value)?.verify?.(Date.now())).toMatchObject({ verified: false })
  })
})

describe('Envoy, where a client had its say', () => {
  const read = (value: string, hops?: number) => certificateFormats.get('envoy-xfcc')?.read(value, hops ?? 1)

  it('is refused where what it appended cannot be told from what the client wrote', () => {
    expect(() => read(recorded.envoy.appended)).toThrow(InvalidRequestError)
  })

  it.each(Object.entries(recorded.envoyInjections))('does not take %s for what Envoy wrote', (_, value) => {
    // the forgery is in there, well-formed
    expect(value).toContain(encodeURIComponent(recorded.leaf.slice(0, 64)))
    for (const hops of [1, 2]) {
      const certificates = (() => {
        try {
          return read(value, hops) ?? []
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidRequestError)
          return []
        }
      })()
      expect(certificates.some(der => leaf.equals(der))).toBe(false)
    }
    expect(() => read(value)).toThrow(InvalidRequestError)
  })

  it('is read with the Hash of its certificate alone', () => {
    const value = recorded.envoy.set
    const forged = value.replace(/Hash=[0-9a-f]{8}/, 'Hash=00000000')
    expect(() => read(forged)).toThrow(expect.objectContaining({ reason: expect.stringMatching(/not the one its Hash is of/) }))
    expect(read(value.replace(/Hash=([0-9a-f]{64})/, (_, hash: string) => `Hash=${hash.toUpperCase()}`))).toEqual(read(value))
    expect(() => read(value.replace(/Hash=([0-9a-f]{64})/, '$&;$&'))).toThrow(InvalidRequestError)
  })
})
