/** Target of attacks, and the good request that each of them changes in one place. */
import {
  constants,
  createHmac,
  createPrivateKey,
  generateKeyPairSync,
  randomUUID,
  sign,
  type JsonWebKey,
  type KeyObject
} from 'node:crypto'

/** The client whose requests are forged: one that may get a token for itself. */
export interface AttackedClient {
  /** The client's name at the server. */
  readonly client_id: string
  /** `client_secret_basic`, `client_secret_post`, `client_secret_jwt` or `private_key_jwt`. */
  readonly token_endpoint_auth_method: string
  /** Its secret, for a method that has one. */
  readonly client_secret?: string | undefined
  /** The scope of the good request. Default: none is asked for. */
  readonly scope?: string | undefined
  /** One of its redirect URIs. Default: the authorization endpoint is attacked without one that is right. */
  readonly redirect_uri?: string | undefined
}

/** The key of a client of `private_key_jwt`. */
export interface AttackKey {
  /** The private key as a JWK, with `alg` and, where the server needs it, `kid`. */
  readonly jwk: JsonWebKey & { /** ES256, RS256, PS256 or EdDSA. */ readonly alg: string; /** Names it. */ readonly kid?: string }
}

/** A request, as it goes over the wire. */
export interface Wire {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

/** A JWT before it is signed; whoever changes it says what is wrong. */
export interface Forged {
  header: Record<string, unknown>
  claims: Record<string, unknown>
  key: SigningKey
}

/** Key that signs, and its algorithm. */
export interface SigningKey {
  readonly alg: string
  readonly key: KeyObject | string
}

/** Server under attack and the client to attack it as, of which cases are made. */
export interface Target {
  readonly issuer: string
  readonly metadata: Readonly<Record<string, unknown>>
  readonly client: AttackedClient
  readonly key: (SigningKey & { readonly kid: string | undefined; readonly publicJwk: JsonWebKey }) | undefined
  /** Asks; no redirect is followed. */
  readonly ask: (wire: Wire) => Promise<Response>
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** Seconds since the epoch. */
export const now = (): number => Math.floor(Date.now() / 1000)

/** JSON as base64url. */
export function part(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

/** A signature, whatever the header says. */
export function signatureOf(input: string, { alg, key }: SigningKey): string {
  const data = Buffer.from(input)
  if (alg.startsWith('HS')) return createHmac('sha256', key).update(data).digest('base64url')
  const object = typeof key === 'string' ? createPrivateKey(key) : key
  if (alg === 'EdDSA' || alg === 'Ed25519') return sign(null, data, object).toString('base64url')
  if (alg.startsWith('PS'))
    return sign('sha256', data, { key: object, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }).toString('base64url')
  return sign('sha256', data, { key: object, dsaEncoding: 'ieee-p1363' }).toString('base64url')
}

/** A compact JWS of what was forged. */
export function compact({ header, claims, key }: Forged): string {
  const input = `${part(header)}.${part(claims)}`
  return `${input}.${signatureOf(input, key)}`
}

/** A key the server has never heard of. */
export function strangersKey(): SigningKey & { readonly publicJwk: JsonWebKey; readonly privateJwk: JsonWebKey } {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' }
  })
  // read anew from what made it: exporting that itself can wait for ever on Node 20
  const key = createPrivateKey(privateKey)
  const privateJwk = key.export({ format: 'jwk' })
  const { d: _, ...publicJwk } = privateJwk
  return { alg: 'ES256', key, publicJwk, privateJwk }
}

/** The assertion of a good request. */
export function goodAssertion({ issuer, client, key }: Target): Forged {
  const { client_id } = client
  const iat = now()
  const claims = { iss: client_id, sub: client_id, aud: issuer, jti: randomUUID(), iat, exp: iat + 60 }
  if (key === undefined) return { header: { alg: 'HS256' }, claims, key: { alg: 'HS256', key: client.client_secret ?? '' } }
  return { header: { alg: key.alg, ...(key.kid !== undefined && { kid: key.kid }) }, claims, key }
}

/** The address of an endpoint; undefined where the server has none. */
export function endpointOf({ metadata }: Target, name: string): string | undefined {
  const address = metadata[name]
  return typeof address === 'string' ? address : undefined
}

/** Whether clients of a method sign assertions. */
export function needsAssertion(method: string): boolean {
  return method.endsWith('_jwt')
}

/** Makes the headers and parameters that prove the client. @param assertion in the place of a good one */
export function proofOf(
  target: Target,
  assertion?: string
): { readonly headers: Record<string, string>; readonly params: Record<string, string> } {
  const { client_id, client_secret = '', token_endpoint_auth_method: method } = target.client
  if (method === 'client_secret_basic') {
    const pair = [client_id, client_secret].map(text => new URLSearchParams([['', text]]).toString().slice(1)).join(':')
    return { headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }, params: {} }
  }
  if (method === 'client_secret_post') return { headers: {}, params: { client_id, client_secret } }
  const client_assertion = assertion ?? compact(goodAssertion(target))
  return { headers: {}, params: { client_assertion_type: assertionType, client_assertion } }
}

/** A request with a form. */
export function formTo(
  url: string,
  params: Readonly<Record<string, string>> | string,
  headers: Readonly<Record<string, string>> = {}
): Wire {
  const body = typeof params === 'string' ? params : new URLSearchParams(params).toString()
  return { url, method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers }, body }
}

/** Makes the parameters of what the good request asks for. */
export function grantOf({ client: { scope } }: Target): Record<string, string> {
  return { grant_type: 'client_credentials', ...(scope !== undefined && { scope }) }
}

/** A token request of the client, good but for what is changed. */
export function tokenRequest(
  target: Target,
  change: {
    readonly assertion?: string
    readonly params?: Readonly<Record<string, string>>
    readonly headers?: Readonly<Record<string, string>>
  } = {}
): Wire {
  const { headers, params } = proofOf(target, change.assertion)
  const url = endpointOf(target, 'token_endpoint') ?? `${target.issuer}/token`
  return formTo(url, { ...grantOf(target), ...params, ...change.params }, { ...headers, ...change.headers })
}
