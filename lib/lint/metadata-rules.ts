/** Rules about what a running server says of itself. */
import { asymmetricAlgorithms } from '../client-keys/algorithms.ts'
import { keysInSet, privateMembers } from '../clients/metadata/jwk.ts'
import { defaultMethod, signsAssertions } from '../clients/methods.ts'
import { isJsonObject, parseJsonObject, type JsonObject } from '../json.ts'
import { policyOf } from '../profiles.ts'
import { spotAt, type Problem, type Rule, type Spot } from './finding.ts'
import { isInsecure, stringsOf } from './linted-options.ts'
import type { SeenServer } from './seen-server.ts'

const { algorithms: fapiAlgorithms = [], methods: fapiMethods = [] } = policyOf('fapi2-security')

/** Makes the `find` of a rule about one member of the metadata; `problem` says what is wrong with it, if anything. */
function member(name: string, problem: (value: unknown, body: JsonObject) => Problem): (seen: SeenServer) => readonly Spot[] {
  return ({ metadata: { url, body } }) => spotAt(`${url}#${name}`, problem(body[name], body))
}

/** The members that are addresses. */
function addressesIn(body: JsonObject): readonly (readonly [string, string])[] {
  return Object.entries(body).flatMap(([name, value]) =>
    typeof value === 'string' && /(?:_endpoint|_uri|^issuer)$/.test(name) ? [[name, value] as const] : []
  )
}

/** Members that offer signature algorithms. */
function algorithmsIn(body: JsonObject): readonly (readonly [string, readonly string[]])[] {
  return Object.entries(body).flatMap(([name, value]) =>
    name.endsWith('_signing_alg_values_supported') ? [[name, stringsOf(value)] as const] : []
  )
}

const shape: readonly Rule<SeenServer>[] = [
  {
    id: 'issuer_mismatch',
    level: 'error',
    section: 'RFC 8414 §3.3',
    fix: 'Serve the metadata of an issuer at that issuer’s own address: clients compare the two as strings.',
    find: ({ metadata: { url, body }, expectedIssuer }) => {
      const { issuer } = body
      if (typeof issuer !== 'string') return spotAt(`${url}#issuer`, 'There is no issuer')
      const isAnother = expectedIssuer !== undefined && issuer !== expectedIssuer
      return spotAt(`${url}#issuer`, isAnother && 'The issuer is not the address that was asked')
    }
  },
  {
    id: 'endpoint_insecure',
    level: 'error',
    section: 'RFC 6749 §3.2',
    fix: 'Serve everything over https.',
    find: ({ metadata: { url, body } }) =>
      addressesIn(body).flatMap(([name, value]) =>
        spotAt(`${url}#${name}`, isInsecure(value) && 'The address is not https: what is sent there can be read')
      )
  },
  {
    id: 'metadata_member_missing',
    level: 'error',
    section: 'RFC 8414 §2',
    fix: 'Add it.',
    find: ({ metadata: { url, body } }) => {
      const wanted: readonly (readonly [string, boolean])[] = [
        ['token_endpoint', typeof body['token_endpoint'] === 'string'],
        ['response_types_supported', Array.isArray(body['response_types_supported'])],
        [
          'token_endpoint_auth_signing_alg_values_supported',
          Array.isArray(body['token_endpoint_auth_signing_alg_values_supported']) ||
            !stringsOf(body['token_endpoint_auth_methods_supported']).some(signsAssertions)
        ]
      ]
      return wanted.flatMap(([name, isThere]) => spotAt(`${url}#${name}`, !isThere && `${name} is missing`))
    }
  },
  {
    id: 'documents_disagree',
    level: 'error',
    section: 'RFC 8414 §5',
    fix: 'Serve the same document at both addresses.',
    find: ({ metadata, other }) =>
      other === undefined
        ? []
        : Object.keys(metadata.body)
            .filter(name => name in other.body && JSON.stringify(metadata.body[name]) !== JSON.stringify(other.body[name]))
            .map(name => ({ where: `${other.url}#${name}`, message: `${name} is not what ${metadata.url} says` }))
  }
]

const offers: readonly Rule<SeenServer>[] = [
  {
    id: 'pkce_not_offered',
    level: 'error',
    section: 'RFC 9700 §2.1.1',
    fix: 'Support PKCE and announce S256 in code_challenge_methods_supported.',
    find: member(
      'code_challenge_methods_supported',
      (value, body) =>
        hasCodes(body) &&
        !stringsOf(value).includes('S256') &&
        'PKCE with S256 is not announced: clients cannot know that a stolen code is of no use'
    )
  },
  {
    id: 'pkce_plain_offered',
    level: 'warning',
    section: 'RFC 9700 §2.1.1',
    fix: 'Offer S256 alone.',
    find: member(
      'code_challenge_methods_supported',
      value => stringsOf(value).includes('plain') && 'plain shows the verifier to whoever sees the authorization request'
    )
  },
  {
    id: 'implicit_offered',
    level: 'error',
    section: 'RFC 9700 §2.1.2',
    fix: 'Offer the response type code alone.',
    find: ({ metadata: { url, body } }) => {
      const types = stringsOf(body['response_types_supported']).filter(type => /(?:^| )token(?: |$)/.test(type))
      // where response types are listed they say what comes of the grant: it may be ID Tokens alone
      const isTold = body['response_types_supported'] !== undefined
      const grants = stringsOf(body['grant_types_supported']).filter(grant => grant === 'implicit' && !isTold)
      return [
        ...types.map(type => ({
          where: `${url}#response_types_supported`,
          message: `${type} puts access tokens into addresses`
        })),
        ...grants.map(() => ({
          where: `${url}#grant_types_supported`,
          message: 'The implicit grant puts access tokens into addresses'
        }))
      ]
    }
  },
  {
    id: 'password_grant_offered',
    level: 'error',
    section: 'RFC 9700 §2.4',
    fix: 'Take it out: people’s passwords are for nobody but the server.',
    find: member(
      'grant_types_supported',
      value => stringsOf(value).includes('password') && 'Clients may ask people for their passwords'
    )
  },
  {
    id: 'issuer_not_in_responses',
    level: 'warning',
    section: 'RFC 9207 §3',
    fix: 'Send iss in authorization responses, and say so.',
    find: member(
      'authorization_response_iss_parameter_supported',
      (value, body) => value !== true && hasCodes(body) && 'Clients of several servers cannot tell whose answer they got'
    )
  },
  {
    id: 'alg_none_offered',
    level: 'error',
    section: 'RFC 8725 §3.2',
    fix: 'Take none out of the list.',
    find: ({ metadata: { url, body } }) =>
      algorithmsIn(body).flatMap(([name, algorithms]) =>
        spotAt(`${url}#${name}`, algorithms.includes('none') && 'A JWT without a signature is nobody’s')
      )
  },
  {
    id: 'only_secrets_offered',
    level: 'note',
    section: 'RFC 9700 §2.5',
    fix: 'Offer private_key_jwt or a certificate method.',
    find: member('token_endpoint_auth_methods_supported', value => {
      const proving = methodsIn(value).filter(method => method !== 'none')
      const areSecrets = proving.length > 0 && proving.every(method => method.startsWith('client_secret_'))
      return areSecrets && 'Clients can prove themselves with nothing better than a shared secret'
    })
  }
]

const fapi: readonly Rule<SeenServer>[] = [
  {
    id: 'fapi_pushed_requests_optional',
    level: 'error',
    section: 'FAPI 2.0 §5.3.2.2',
    profile: 'fapi2',
    fix: 'Require pushed authorization requests, and say so.',
    find: member(
      'require_pushed_authorization_requests',
      (value, body) => value !== true && hasCodes(body) && 'Authorization requests need not be pushed'
    )
  },
  {
    id: 'fapi_methods_offered',
    level: 'error',
    section: 'FAPI 2.0 §5.3.2.1 (6)',
    profile: 'fapi2',
    fix: 'Offer private_key_jwt and the certificate methods alone.',
    find: member('token_endpoint_auth_methods_supported', value => {
      const others = methodsIn(value).filter(method => !fapiMethods.includes(method))
      return others.length > 0 && `The profile has no ${others.join(', ')}`
    })
  },
  {
    id: 'fapi_algorithms_offered',
    level: 'error',
    section: 'FAPI 2.0 §5.4.1',
    profile: 'fapi2',
    fix: `Offer ${fapiAlgorithms.join(', ')} alone.`,
    find: ({ metadata: { url, body } }) =>
      algorithmsIn(body).flatMap(([name, algorithms]) => {
        const others = algorithms.filter(alg => !fapiAlgorithms.includes(alg))
        return spotAt(`${url}#${name}`, others.length > 0 && `The profile has no ${others.join(', ')}`)
      })
  },
  {
    id: 'fapi_tokens_unbound',
    level: 'error',
    section: 'FAPI 2.0 §5.3.2.1 (4)',
    profile: 'fapi2',
    fix: 'Bind access tokens with DPoP or mutual TLS, and announce which.',
    find: member(
      'dpop_signing_alg_values_supported',
      (value, body) =>
        stringsOf(value).length === 0 &&
        body['tls_client_certificate_bound_access_tokens'] !== true &&
        'Access tokens are bound to nothing'
    )
  }
]

const keys: readonly Rule<SeenServer>[] = [
  {
    id: 'jwks_unusable',
    level: 'error',
    section: 'RFC 7517 §5',
    fix: 'Serve a JWK Set at jwks_uri.',
    find: ({ jwks }) =>
      jwks === undefined || (jwks.status === 200 && keysInSet(parseJsonObject(jwks.text)) !== undefined)
        ? []
        : [{ where: jwks.url, message: 'There is no JWK Set: nobody can verify this server’s tokens' }]
  },
  {
    id: 'jwks_private',
    level: 'error',
    section: 'RFC 7517 §9.3',
    fix: 'Replace the key at once, and serve public members alone.',
    find: seen =>
      keysOf(seen).flatMap(({ jwk, where }) =>
        spotAt(where, privateMembers.some(name => name in jwk) && 'The key set shows a private or symmetric key to everybody')
      )
  },
  {
    id: 'jwks_weak',
    level: 'error',
    section: 'RFC 7518 §3.3',
    fix: 'Sign with RSA of 2048 bits or more, or on P-256.',
    find: seen =>
      keysOf(seen).flatMap(({ jwk: { kty, n }, where }) => {
        const isShort = kty === 'RSA' && typeof n === 'string' && Buffer.from(n, 'base64url').byteLength < 256
        return spotAt(where, isShort && 'The RSA key is shorter than 2048 bits')
      })
  },
  {
    id: 'jwks_ambiguous',
    level: 'warning',
    section: 'RFC 8725 §3.1',
    fix: 'Give every key a kid and an alg of its own.',
    find: seen =>
      keysOf(seen).flatMap(({ jwk, where }) =>
        spotAt(
          where,
          (typeof jwk['kid'] !== 'string' || !asymmetricAlgorithms.has(String(jwk['alg']))) &&
            'The key does not say which one it is and what it is for (kid, alg)'
        )
      )
  }
]

/** Whether there is an authorization endpoint, which codes come from. */
function hasCodes(body: JsonObject): boolean {
  return typeof body['authorization_endpoint'] === 'string'
}

/** The methods of clients, by the default of RFC 8414 §2. */
function methodsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? stringsOf(value) : [defaultMethod]
}

function keysOf({ jwks }: SeenServer): readonly { readonly jwk: JsonObject; readonly where: string }[] {
  if (jwks === undefined) return []
  const keys = keysInSet(parseJsonObject(jwks.text)) ?? []
  return keys.flatMap((jwk, index) => (isJsonObject(jwk) ? [{ jwk, where: `${jwks.url}#keys[${index}]` }] : []))
}

/** The rules. */
export const metadataRules: readonly Rule<SeenServer>[] = [...shape, ...offers, ...fapi, ...keys]
