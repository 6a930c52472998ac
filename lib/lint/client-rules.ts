/** Rules about configured clients. */
import { createHash } from 'node:crypto'
import type { ClientMetadata } from '../clients/client.ts'
import { secretMethods } from '../clients/methods.ts'
import type { JsonObject } from '../json.ts'
import { spotAt, type Problem, type Rule, type Spot } from './finding.ts'
import {
  clientsOf,
  isInsecure,
  methodOf,
  reportedAudience,
  stringsOf,
  type LintedClient,
  type LintedOptions
} from './linted-options.ts'
import { guessableBits, secretBits, wantedBits } from './secrets.ts'

/** A rule that looks at one client after the other. */
function each(find: (client: ClientMetadata, path: string) => readonly Spot[]): (options: LintedOptions) => readonly Spot[] {
  return options => clientsOf(options).flatMap(({ client, path }) => find(client, path))
}

/** A rule about every redirect URI. */
function eachRedirect(problem: (uri: string) => Problem): (options: LintedOptions) => readonly Spot[] {
  return each((client, path) =>
    stringsOf(client.redirect_uris).flatMap((uri, index) => spotAt(`${path}.redirect_uris[${index}]`, problem(uri)))
  )
}

interface Secret {
  readonly value: string
  readonly where: string
}

/** The secrets that are there to be read; those that are kept as a digest are nobody's to judge. */
function secretsOf({ client, path }: LintedClient): readonly Secret[] {
  const own = typeof client.client_secret === 'string' ? [{ value: client.client_secret, where: `${path}.client_secret` }] : []
  const added = (client.credentials ?? []).flatMap((credential, index) => {
    const value: unknown = 'value' in credential ? credential.value : undefined
    return typeof value === 'string' ? [{ value, where: `${path}.credentials[${index}].value` }] : []
  })
  return [...own, ...added]
}

interface RegisteredKey {
  readonly jwk: JsonObject
  readonly where: string
  readonly client_id: string
}

function keysOf({ client, path }: LintedClient): readonly RegisteredKey[] {
  const { client_id, jwks } = client
  return (jwks?.keys ?? []).map((jwk, index) => ({ jwk, where: `${path}.jwks.keys[${index}]`, client_id }))
}

/** Finds what clients share with an earlier one, at every later place. @param words never the secret itself. */
function shared(found: readonly (readonly [string, string, string])[], words: string): readonly Spot[] {
  const first = new Map<string, string>()
  return found.flatMap(([value, client_id, where]) => {
    const owner = first.get(value)
    if (owner === undefined) {
      first.set(value, client_id)
      return []
    }
    return spotAt(where, owner !== client_id && `${words} is also that of the client ${owner}`)
  })
}

function keyIdentity({ kty, n, x, y, crv }: JsonObject): string {
  return JSON.stringify([kty, n, x, y, crv])
}

const redirects: readonly Rule<LintedOptions>[] = [
  {
    id: 'redirect_uri_insecure',
    level: 'error',
    section: 'RFC 9700 §2.6',
    fix: 'Use https; http is for loopback addresses of native apps alone.',
    find: eachRedirect(uri => isInsecure(uri) && 'Codes travel there in the clear')
  },
  {
    id: 'redirect_uri_pattern',
    level: 'error',
    section: 'RFC 9700 §2.1',
    fix: 'Register every redirect URI as it is sent: they are compared as strings.',
    find: eachRedirect(uri => uri.includes('*') && 'A pattern matches nothing here, and elsewhere it matches an attacker')
  },
  {
    id: 'redirect_uri_localhost',
    level: 'note',
    section: 'RFC 8252 §8.3',
    fix: 'Use http://127.0.0.1 and http://[::1].',
    find: eachRedirect(
      uri => /^http:\/\/localhost[:/]/.test(uri) && 'localhost is a name, and a name can lead elsewhere than to this machine'
    )
  }
]

const credentials: readonly Rule<LintedOptions>[] = [
  {
    id: 'weak_secret',
    level: 'error',
    section: 'RFC 6749 §10.10',
    fix: 'Generate it: openssl rand -base64 32.',
    find: options =>
      clientsOf(options)
        .flatMap(secretsOf)
        .flatMap(({ value, where }) => {
          const bits = secretBits(value)
          if (bits < guessableBits) return spotAt(where, 'The secret can be guessed')
          return spotAt(where, bits < wantedBits && `The secret has some ${bits} bits, fewer than ${wantedBits}`, 'warning')
        })
  },
  {
    id: 'shared_secret',
    level: 'error',
    section: 'RFC 6749 §2.3.1',
    fix: 'Give every client a secret of its own: one that two have tells nobody who is calling.',
    find: options =>
      shared(
        clientsOf(options).flatMap(linted =>
          secretsOf(linted).map(({ value, where }) => {
            const digest = createHash('sha256').update(value).digest('hex')
            return [digest, linted.client.client_id, where] as const
          })
        ),
        'The secret'
      )
  },
  {
    id: 'secret_expired',
    level: 'error',
    section: 'RFC 7591 §3.2.1',
    fix: 'Give the client a new secret.',
    find: each(({ client_secret_expires_at: expiry }, path) => {
      const hasExpired = typeof expiry === 'number' && expiry !== 0 && expiry * 1000 <= Date.now()
      return spotAt(`${path}.client_secret_expires_at`, hasExpired && 'The secret has expired: the client is refused')
    })
  },
  {
    id: 'shared_key',
    level: 'error',
    section: 'RFC 7523 §3',
    fix: 'Give every client a key of its own.',
    find: options =>
      shared(
        clientsOf(options).flatMap(linted =>
          keysOf(linted).map(({ jwk, client_id, where }) => [keyIdentity(jwk), client_id, where] as const)
        ),
        'The key'
      )
  },
  {
    id: 'weak_key',
    level: 'error',
    section: 'RFC 7518 §3.3',
    fix: 'Use RSA keys of 2048 bits or more, or P-256.',
    find: options =>
      clientsOf(options)
        .flatMap(keysOf)
        .flatMap(({ jwk, where }) => {
          const bits = jwk['kty'] === 'RSA' && typeof jwk['n'] === 'string' ? modulusBits(jwk['n']) : undefined
          return spotAt(where, bits !== undefined && bits < 2048 && `The RSA key has ${bits} bits`)
        })
  },
  {
    id: 'secret_on_the_wire',
    level: 'note',
    section: 'RFC 9700 §2.5',
    fix: 'Move to private_key_jwt or a certificate method where the client can: then nothing that is sent can be presented again.',
    find: each((client, path) => {
      const method = methodOf(client)
      return spotAt(
        `${path}.token_endpoint_auth_method`,
        secretMethods.includes(method) && `${method} proves the client with a secret that the server knows too`
      )
    })
  }
]

const metadata: readonly Rule<LintedOptions>[] = [
  {
    id: 'client_assertion_audience_wide',
    level: 'error',
    section: 'rfc7523bis §4',
    fix: 'Set assertion_audience to "issuer" as soon as the client sends it.',
    find: each(({ assertion_audience }, path) => {
      const where = `${path}.assertion_audience`
      if (assertion_audience === 'legacy')
        return spotAt(where, 'Assertions that the client made for another server’s token endpoint may be good here')
      return spotAt(where, assertion_audience === 'report' && reportedAudience, 'warning')
    })
  },
  {
    id: 'removed_grant',
    level: 'error',
    section: 'OAuth 2.1 §10',
    fix: 'Use authorization_code with PKCE, or device_code where there is no browser.',
    find: each((client, path) =>
      stringsOf(client.grant_types).flatMap((grant, index) =>
        spotAt(
          `${path}.grant_types[${index}]`,
          (grant === 'implicit' || grant === 'password') && `OAuth 2.1 has no ${grant} grant`
        )
      )
    )
  },
  {
    id: 'removed_response_type',
    level: 'error',
    section: 'RFC 9700 §2.1.2',
    fix: 'Use the response type code.',
    find: each((client, path) =>
      stringsOf(client.response_types).flatMap((type, index) =>
        spotAt(
          `${path}.response_types[${index}]`,
          /\b(?:token|id_token)\b/.test(type) && `${type} puts tokens into addresses, where histories and logs keep them`
        )
      )
    )
  },
  {
    id: 'scope_unlimited',
    level: 'warning',
    section: 'RFC 9700 §2.3',
    fix: 'Register the scope values the client needs.',
    find: each((client, path) => {
      const isUnlimited = (client.scope ?? undefined) === undefined
      return spotAt(
        `${path}.scope`,
        isUnlimited &&
          stringsOf(client.grant_types).includes('client_credentials') &&
          'The client may give itself every scope of the server'
      )
    })
  },
  {
    id: 'workload_subject_wide',
    level: 'warning',
    section: 'RFC 7523 §3',
    fix: 'Name the workload: the whole subject, or claims that no other workload of the platform has.',
    find: each((client, path) => {
      const rules: unknown = client['federated_credentials']
      return (Array.isArray(rules) ? (rules as readonly JsonObject[]) : []).flatMap(({ subject, claims }, index) => {
        const isWide =
          typeof subject === 'string' ? subject.endsWith('*') : Object.keys((claims as object | undefined) ?? {}).length < 2
        return spotAt(
          `${path}.federated_credentials[${index}]`,
          isWide && 'More than one workload of the platform can be this client'
        )
      })
    })
  }
]

/** The rules. */
export const clientRules: readonly Rule<LintedOptions>[] = [...redirects, ...credentials, ...metadata]

function modulusBits(n: string): number {
  const bytes = Buffer.from(n, 'base64url')
  const leading = bytes.findIndex(byte => byte !== 0)
  return leading === -1 ? 0 : (bytes.length - leading) * 8 - Math.clz32(bytes[leading] ?? 0) + 24
}
