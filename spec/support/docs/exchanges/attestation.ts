/** The methods whose client is vouched for by an attester. */
import { attest, makeInstance, makeSigner, pop, type Parts } from '../../clients/attestation.ts'
import { prove } from '../../clients/dpop.ts'
import { api, issuer, now, tokenPath, type Send } from './exchange.ts'
import { bearerCall, grant, sendChanged, type Change, type Fault, type MethodScript } from './script.ts'
import { faultsOf } from './secrets.ts'

const attester = await makeSigner('ES256', 'attester-1')
const stranger = await makeSigner('ES256', 'attester-1')
const phone = await makeInstance('billing')
const anotherPhone = await makeInstance('billing')

const options = {
  attestation: { attesters: [{ jwks: { keys: [attester.jwk] }, clients: ['billing'] }], challenge: 'required' }
} as const

const challengeOf = async (send: Send) => (await send({ path: '/oauth2/challenge' })).headers

/** What both methods hold against the attestation. */
const faults: readonly (readonly [string, string, Change])[] = [
  ['The attestation was signed by somebody else', 'attestation_signature', { jwt: { key: stranger.privateKey } }],
  ['No attester has the key it names', 'attester', { jwt: { header: { kid: 'attester-2' } } }],
  ['It says that it is another kind of JWT', 'attestation_type', { jwt: { header: { typ: 'JWT' } } }],
  ['It ended an hour ago', 'attestation_freshness', { jwt: { claims: { iat: now - 7200, exp: now - 3600 } } }],
  ['It names no key of an instance', 'attestation_confirmation', { jwt: { claims: { cnf: undefined } } }],
  ['It is about another client than `client_id` says', 'attestation_subject', { form: { client_id: 'reports' } }],
  [
    'Two attestations, or something that is none',
    'attestation_header',
    { headers: { 'OAuth-Client-Attestation': 'eyJhbGciOiJFUzI1NiJ9' } }
  ]
]

export const attestJwtClientAuth: MethodScript = {
  method: 'attest_jwt_client_auth',
  registered: {},
  options,
  async talk(send, change = {}) {
    const challenge = (await challengeOf(send)).get('oauth-client-attestation-challenge') ?? ''
    const proof = { ...change.proof, claims: { challenge, ...change.proof?.claims } }
    const headers = {
      'OAuth-Client-Attestation': await attest(attester, phone, now, change.jwt),
      'OAuth-Client-Attestation-PoP': await pop(phone, issuer, now, proof)
    }
    return sendChanged(send, { path: tokenPath, headers, form: { ...grant, client_id: 'billing' } }, change)
  },
  faults: faultsOf([
    ...faults,
    ['There is no proof beside it', 'pop_header', { headers: { 'OAuth-Client-Attestation-PoP': undefined } }],
    ['The proof was signed by another instance', 'pop_signature', { proof: { key: anotherPhone.privateKey } }],
    ['The proof is meant for another server', 'pop_audience', { proof: { claims: { aud: 'https://other.example.com' } } }],
    ['The proof is ten minutes old', 'pop_freshness', { proof: { claims: { iat: now - 600 } } }],
    ['The proof answers no challenge', 'attestation_challenge', { proof: { claims: { challenge: undefined } } }],
    ['The proof was sent before', 'replay', { twice: true }]
  ])
}

const proofFor = (htm: string, url: string, parts: Parts & { readonly access_token?: string } = {}): Promise<string> =>
  prove(phone, htm, url, now * 1000, parts)

const dpopFaults: readonly Fault[] = faultsOf([
  ...faults,
  ['There is no DPoP proof', 'dpop_proof', { headers: { DPoP: undefined } }],
  ['The proof is for another address', 'dpop_proof', { proof: { claims: { htu: `${issuer}/oauth2/par` } } }],
  ['The proof has no nonce of this server', 'dpop_proof', { proof: { claims: { nonce: undefined } } }]
])

export const attestJwtClientAuthDpop: MethodScript = {
  method: 'attest_jwt_client_auth_dpop',
  registered: {},
  options,
  async talk(send, change = {}) {
    const nonce = (await challengeOf(send)).get('dpop-nonce') ?? ''
    const headers = {
      'OAuth-Client-Attestation': await attest(attester, phone, now, change.jwt),
      DPoP: await proofFor('POST', `${issuer}${tokenPath}`, { ...change.proof, claims: { nonce, ...change.proof?.claims } })
    }
    return sendChanged(send, { path: tokenPath, headers, form: { ...grant, client_id: 'billing' } }, change)
  },
  call: async access_token => ({
    ...bearerCall(access_token),
    headers: { Authorization: `DPoP ${access_token}`, DPoP: await proofFor('GET', `${api}/invoices`, { access_token }) }
  }),
  faults: dpopFaults
}
