/**
 * Clients without secrets, each beside `private_key_jwt` with the same algorithm. Platforms' tokens are good once here, as a client's own assertions
 * are, so that both remember as much.
 */
import { createPrivateKey, randomUUID, sign } from 'node:crypto'
import { clientId, issuer, newKey, publicHalf, scope } from './cases.mjs'

const platform = 'https://token.actions.example.com'
const trustDomain = 'prod.example'
const common = { grant: 'client_credentials', token: 'opaque' }
const federated = { method: 'federated_jwt', alg: 'RS256', ...common }
const spiffe = { method: 'spiffe_jwt', alg: 'ES256', ...common }

/** @type {readonly (import('./cases.mjs').Case & { base?: string, unnamed?: true, rules?: number, bundleKeys?: number })[]} */
export const workloadCases = [
  { name: 'rs256-opaque', title: 'private_key_jwt RS256', method: 'private_key_jwt', alg: 'RS256', ...common },
  { name: 'federated', title: 'federated_jwt RS256, 2 KB, 6 claims', base: 'rs256-opaque', ...federated },
  ...[10, 10_000, 100_000].map(rules => ({
    name: `federated-${rules}`,
    title: `the same without client_id, ${rules.toLocaleString('en')} rules`,
    base: 'rs256-opaque',
    unnamed: true,
    rules,
    ...federated
  })),
  { name: 'es256-base', title: 'private_key_jwt ES256', method: 'private_key_jwt', alg: 'ES256', ...common },
  { name: 'spiffe', title: 'spiffe_jwt ES256', base: 'es256-base', ...spiffe },
  { name: 'spiffe-1000', title: 'spiffe_jwt ES256, a bundle of 1,000 keys', base: 'es256-base', bundleKeys: 1000, ...spiffe },
  {
    name: 'attestation',
    title: 'attestation + PoP, ES256 twice',
    base: 'es256-base',
    method: 'attest_jwt_client_auth',
    alg: 'ES256',
    ...common
  }
]

/** What a job's token says, and which six of its claims the rule wants. */
const wanted = {
  repository_id: '456789',
  repository_owner_id: '123456',
  environment: 'production',
  ref: 'refs/heads/main',
  runner_environment: 'github-hosted',
  event_name: ['push', 'workflow_dispatch']
}
const subject = 'repo:acme/app:environment:production'
/** Makes the token as long as GitHub's. */
const others = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`further_claim_${index}`, 'x'.repeat(28)]))

/** The metadata of the case's client, what signs for it, and the options its server has beside the usual; undefined for other methods. */
export function workloadClientOf({ method, alg }) {
  const registered = {
    client_id: clientId,
    token_endpoint_auth_method: method,
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    scope
  }
  const clientKey = newKey(alg, 'client')
  const keys = [publicHalf(clientKey)]
  switch (method) {
    case 'federated_jwt':
      return {
        client: { ...registered, federated_credentials: [{ issuer: platform, subject, claims: wanted }] },
        clientKey,
        more: { workloads: { issuers: [{ issuer: platform, jwks: { keys }, replay: 'once' }] } }
      }
    case 'spiffe_jwt':
      return {
        client: { ...registered, spiffe_id: `spiffe://${trustDomain}/billing` },
        clientKey,
        more: { workloads: { trustDomains: [{ trustDomain, bundle: { keys: keys.map(key => ({ ...key, use: 'jwt-svid' })) } }] } }
      }
    case 'attest_jwt_client_auth': {
      const attester = newKey(alg, 'attester')
      const more = { attestation: { attesters: [{ jwks: { keys: [publicHalf(attester)] } }], challenge: 'offered' } }
      return { client: registered, clientKey: { instance: clientKey, attester, attestation: undefined }, more }
    }
  }
}

/** The options of a case's server with as many further rules and keys as the case has. */
export function grown({ rules, bundleKeys }, { clients, workloads, ...more }) {
  const [client] = clients
  const [credential] = client.federated_credentials ?? []
  const further = Array.from({ length: (rules ?? 1) - 1 }, (_, index) => ({
    ...client,
    client_id: `other-${index}`,
    federated_credentials: [
      {
        ...credential,
        subject: `repo:acme/app-${index}:environment:production`,
        claims: { ...wanted, repository_id: `${index}` }
      }
    ]
  }))
  const keys = Array.from({ length: (bundleKeys ?? 1) - 1 }, (_, index) => ({
    ...publicHalf(newKey('ES256', `other-${index}`)),
    use: 'jwt-svid'
  }))
  const trustDomains = workloads?.trustDomains?.map(domain => ({ ...domain, bundle: { keys: [...keys, ...domain.bundle.keys] } }))
  return {
    ...more,
    clients: [...clients, ...further],
    ...(workloads && { workloads: { ...workloads, ...(trustDomains && { trustDomains }) } })
  }
}

const encode = value => Buffer.from(JSON.stringify(value)).toString('base64url')

function signed(jwk, header, claims) {
  const key = createPrivateKey({ key: jwk, format: 'jwk' })
  const input = `${encode({ alg: jwk.alg, kid: jwk.kid, ...header })}.${encode(claims)}`
  const signature = sign('sha256', Buffer.from(input), jwk.alg === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' } : key)
  return `${input}.${signature.toString('base64url')}`
}

const bearer = 'urn:ietf:params:oauth:client-assertion-type:'

/** What one request of the case carries: parameters of its form, and header lines. Undefined for other methods. */
export function workloadProof({ method, unnamed }, clientKey, lifetime) {
  const iat = Math.floor(Date.now() / 1000)
  const times = { iat, exp: iat + lifetime, jti: randomUUID() }
  const named = unnamed === true ? {} : { client_id: clientId }
  switch (method) {
    case 'federated_jwt': {
      const {
        event_name: [event_name],
        ...claims
      } = wanted
      const client_assertion = signed(
        clientKey,
        {},
        { iss: platform, sub: subject, aud: issuer, ...times, ...claims, event_name, ...others }
      )
      return { form: { ...named, client_assertion_type: `${bearer}jwt-bearer`, client_assertion }, headers: '' }
    }
    case 'spiffe_jwt': {
      const client_assertion = signed(clientKey, {}, { sub: `spiffe://${trustDomain}/billing`, aud: [issuer], ...times })
      return { form: { ...named, client_assertion_type: `${bearer}jwt-spiffe`, client_assertion }, headers: '' }
    }
    case 'attest_jwt_client_auth': {
      const { instance, attester } = clientKey
      const { kty, crv, x, y } = instance
      const jwk = { kty, crv, x, y }
      clientKey.attestation ??= signed(
        attester,
        { typ: 'oauth-client-attestation+jwt' },
        { sub: clientId, iat, exp: iat + 3600, cnf: { jwk } }
      )
      const pop = signed(
        instance,
        { typ: 'oauth-client-attestation-pop+jwt', kid: undefined },
        { aud: issuer, jti: randomUUID(), iat }
      )
      return {
        form: named,
        headers: `OAuth-Client-Attestation: ${clientKey.attestation}\r\nOAuth-Client-Attestation-PoP: ${pop}\r\n`
      }
    }
  }
}
