/** What is wrong with an attestation or its proof, one thing at a time. */
import { makeAuthority } from '../support/certificates/certificates.ts'
import {
  attested,
  attesterCa,
  certifiedSigner,
  makeInstance,
  makeSigner,
  type Headers,
  type Parts
} from '../support/clients/attestation.ts'
import { issuer, tokenEndpoint } from '../support/servers/strategy-app.ts'

/** What the clock of these specs reads: seconds since the epoch. */
export const now = 1_800_000_000
export const attester = await makeSigner()
export const certified = await certifiedSigner()
/** Vouches for other clients. */
export const scoped = await makeSigner('ES256', 'scoped')
export const wallet = await makeInstance()
const other = await makeSigner()
const sameDevice = await makeInstance()

/** A good request, with parts of it replaced. */
export const good = (attestation: Parts = {}, proof: Parts = {}): Promise<Headers> =>
  attested(attester, wallet, { aud: issuer, now, attestation, proof })

const privately = { ...wallet.jwk, d: 'x' }

/** What is wrong, what is sent, and the check that says so. */
export const refused: readonly (readonly [what: string, send: () => Promise<Headers> | Headers, check: string])[] = [
  ['two attestations', async () => twice(await good(), 'OAuth-Client-Attestation'), 'attestation_header'],
  [
    'no attestation a parser knows',
    async () => ({ ...(await good()), 'OAuth-Client-Attestation': 'e30.e30' }),
    'attestation_header'
  ],
  ['crit', () => good({ header: { crit: ['b64'], b64: true } }), 'attestation_header'],
  ['no typ', () => good({ header: { typ: undefined } }), 'attestation_type'],
  ['the typ of another JWT', () => good({ header: { typ: 'JWT' } }), 'attestation_type'],
  ['a WIT-SVID', () => good({ header: { typ: 'wit+jwt' } }), 'attestation_type'],
  ['a MAC of the attester’s public key', () => macOf(), 'attester'],
  ['an unknown kid', () => good({ header: { kid: 'attester-2' } }), 'attester'],
  ['another attester’s signature', () => good({ key: other.privateKey }), 'attestation_signature'],
  ['an attester for other clients', async () => attested(scoped, wallet, { aud: issuer, now }), 'attester'],
  ['a chain to nobody', async () => attested(await certifiedSigner(makeAuthority()), wallet, { aud: issuer, now }), 'attester'],
  ['a certificate that signed itself', async () => attested(selfCertified(), wallet, { aud: issuer, now }), 'attester'],
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

function without(headers: Headers, name: string): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([other]) => other !== name))
}

async function macOf(): Promise<Headers> {
  const key = Buffer.from(JSON.stringify(attester.jwk))
  return good({ header: { alg: 'HS256' }, key })
}

function selfCertified() {
  return { ...attester, header: { x5c: [attesterCa.der.toString('base64')] } }
}

async function expiredSigner() {
  return certifiedSigner(attesterCa, { notBefore: new Date(0), notAfter: new Date(1000) })
}

async function proofBy(alg: string): Promise<Headers> {
  const { privateKey } = await makeInstance('wallet', alg)
  return good({}, { header: { alg }, key: privateKey })
}
