import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { sign, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { IncomingMessage } from 'node:http'
import { Agent, createServer, request, type Server } from 'node:https'
import { Socket, type AddressInfo } from 'node:net'
import { newKeyPair } from '../../lib/crypto/key-pairs.ts'
import { ServerError } from '../../lib/errors.ts'
import { directTls, certificateOfRequest } from '../../lib/certificates/source.ts'
import type { PresentedCertificate } from '../../lib/client-request.ts'
import { makeAuthority, makeCertificate } from '../support/certificates/certificates.ts'
import { makeList } from '../support/certificates/revocation-lists.ts'

/** A self-signed certificate for one common name, written out in DER. */
function selfSigned(commonName: string) {
  const { publicKey, privateKey } = newKeyPair('P-256')
  const der = (tag: number, ...parts: Uint8Array[]): Buffer => {
    const content = Buffer.concat(parts)
    const length =
      content.length < 128
        ? [content.length]
        : content.length < 256
          ? [0x81, content.length]
          : [0x82, content.length >> 8, content.length & 255]
    return Buffer.concat([Buffer.from([tag, ...length]), content])
  }
  const ecdsaWithSha256 = der(0x30, Buffer.from('06082a8648ce3d040302', 'hex'))
  const name = der(0x30, der(0x31, der(0x30, Buffer.from('0603550403', 'hex'), der(0x0c, Buffer.from(commonName)))))
  const validity = der(0x30, der(0x17, Buffer.from('200101000000Z')), der(0x17, Buffer.from('491231235959Z')))
  const key = publicKey.export({ type: 'spki', format: 'der' })
  const version = der(0xa0, Buffer.from('020102', 'hex'))
  const content = der(0x30, version, Buffer.from('020101', 'hex'), ecdsaWithSha256, name, validity, name, key)
  const certificate = der(0x30, content, ecdsaWithSha256, der(0x03, Buffer.from([0]), sign('sha256', content, privateKey)))
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    cert: new X509Certificate(certificate).toString(),
    der: certificate
  }
}

describe('directTls', () => {
  const serverIdentity = selfSigned('server')
  const known = selfSigned('known')
  const stranger = selfSigned('stranger')
  const seen: (PresentedCertificate | undefined)[] = []
  let server: Server

  beforeAll(async () => {
    const { key, cert } = serverIdentity
    server = createServer({ key, cert, ca: [known.cert], requestCert: true, rejectUnauthorized: false }, (req, res) => {
      seen.push(directTls(req))
      res.end()
    }).listen(0)
    await once(server, 'listening')
  })
  afterAll(() => server.close().closeAllConnections())

  async function present(identity?: { key: string | Buffer; cert: string }, times = 1): Promise<typeof seen> {
    seen.length = 0
    const agent = new Agent({
      keepAlive: true,
      maxSockets: 1,
      rejectUnauthorized: false,
      ...(identity && { key: identity.key, cert: identity.cert })
    })
    for (let time = 0; time < times; time++) {
      const sent = request({ port: (server.address() as AddressInfo).port, agent }).end()
      const [response] = (await once(sent, 'response')) as [NodeJS.ReadableStream]
      await once(response.resume(), 'end')
    }
    agent.destroy()
    return [...seen]
  }

  it('finds none where none was presented', async () => {
    expect(await present()).toEqual([undefined])
  })

  it('gives a certificate that a CA vouches for as verified', async () => {
    const [certificate] = await present(known)
    expect(certificate).toEqual({ der: expect.anything(), chain: [], verified: true })
    expect(Buffer.from(certificate?.der ?? []).equals(known.der)).toBe(true)
  })

  it('gives another one as not verified, and says why', async () => {
    const [certificate] = await present(stranger)
    expect(certificate).toMatchObject({ verified: false, reason: expect.stringMatching(/SELF_SIGNED/) })
    expect(Buffer.from(certificate?.der ?? []).equals(stranger.der)).toBe(true)
  })

  it('gives the requests of one connection one object', async () => {
    const [first, second] = await present(known, 2)
    expect(first).toBeDefined()
    expect(second).toBe(first)
  })
})

describe('directTls with a revocation list', () => {
  const authority = makeAuthority()
  const good = makeCertificate({ issuer: authority })
  const bad = makeCertificate({ issuer: authority })

  async function verdictOn(crl: string, certificate: typeof good): Promise<PresentedCertificate | undefined> {
    const identity = makeCertificate({ issuer: authority })
    const tls = { key: identity.keyPem, cert: identity.pem, ca: authority.pem, crl, requestCert: true, rejectUnauthorized: false }
    let seen: PresentedCertificate | undefined
    const server = createServer(tls, (req, res) => {
      seen = directTls(req)
      res.end()
    }).listen(0)
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const agent = new Agent({ rejectUnauthorized: false, key: certificate.keyPem, cert: certificate.pem })
    const [response] = (await once(request({ port, agent }).end(), 'response')) as [NodeJS.ReadableStream]
    await once(response.resume(), 'end')
    server.close().closeAllConnections()
    return seen
  }

  it('does what the list says, until the list has run out', async () => {
    const list = makeList({ issuer: authority, revoked: [bad] }).pem
    expect(await verdictOn(list, good)).toMatchObject({ verified: true })
    expect(await verdictOn(list, bad)).toMatchObject({ verified: false, reason: expect.stringMatching(/REVOKED/) })
    const old = makeList({ issuer: authority, thisUpdate: new Date('2026-01-01'), nextUpdate: new Date('2026-01-02') }).pem
    expect(await verdictOn(old, good)).toMatchObject({ verified: false, reason: expect.stringMatching(/EXPIRED/) })
  })
})

describe('certificateOfRequest', () => {
  const asked = (outcome: () => PresentedCertificate | undefined) => {
    let calls = 0
    const req = new IncomingMessage(new Socket())
    const source = (_req: IncomingMessage, note?: (why: string) => void) => {
      calls++
      note?.(`call ${calls}`)
      return outcome()
    }
    return { ask: () => certificateOfRequest(req, source), calls: () => calls }
  }

  it('asks once for one request, and keeps what was noted', () => {
    const { ask, calls } = asked(() => undefined)
    expect(ask()).toEqual({ certificate: undefined, note: 'call 1' })
    expect(ask()).toEqual({ certificate: undefined, note: 'call 1' })
    expect(calls()).toBe(1)
  })

  it.each<[string, unknown, string]>([
    ['an OAuthError', new ServerError(), 'server_error'],
    ['an Error', new Error('DER'), 'invalid_request'],
    ['something else', 'text', 'invalid_request']
  ])('throws an OAuthError, each time, for %s', (_, thrown, error) => {
    const { ask, calls } = asked(() => {
      throw thrown
    })
    for (let time = 0; time < 2; time++) expect(ask).toThrow(expect.objectContaining({ error }))
    expect(calls()).toBe(1)
  })

  it('asks another source again', () => {
    const req = new IncomingMessage(new Socket())
    const certificate = { der: Buffer.of(1), verified: true }
    expect(certificateOfRequest(req, () => undefined).certificate).toBeUndefined()
    expect(certificateOfRequest(req, () => certificate).certificate).toBe(certificate)
  })
})
