/** Rules about the options of a server, its clients aside. */
import type { ClientMetadata } from '../clients/client.ts'
import { grantsOfPeople } from '../clients/grant-types.ts'
import { secretMethods } from '../clients/methods.ts'
import { spotAt, type Rule, type Spot } from './finding.ts'
import { clientsOf, methodOf, reportedAudience, type LintedOptions } from './linted-options.ts'
import { mcpRules } from './mcp-rules.ts'
import { guessableBits, secretBits } from './secrets.ts'

const day = 86_400

function overlong(key: string, value: number | undefined, most: number): readonly Spot[] {
  return spotAt(key, value !== undefined && value > most && `${key} is ${value} s, more than ${most} s`)
}

/** Scope values by the resources they belong to. */
function resourcesOfScopes({ resources = [] }: LintedOptions): ReadonlyMap<string, readonly number[]> {
  const owners = new Map<string, number[]>()
  resources.forEach(({ scopes = [] }, index) => {
    for (const scope of scopes) owners.set(scope, [...(owners.get(scope) ?? []), index])
  })
  return owners
}

const protection: readonly Rule<LintedOptions>[] = [
  {
    id: 'pkce_optional',
    level: 'warning',
    section: 'RFC 9700 §2.1.1',
    fix: 'Set requirePkce (policy.require_pkce) to "always".',
    find: options => {
      const isOptional =
        options.requirePkce !== 'always' &&
        clientsOf(options).some(({ client }) => usesCodes(client) && methodOf(client) !== 'none')
      return spotAt(
        'requirePkce',
        isOptional && 'Clients that authenticate may leave PKCE out, and a stolen code can then be injected'
      )
    }
  },
  {
    id: 'guesses_unlimited',
    level: 'error',
    section: 'OAuth 2.1 §2.4.1',
    fix: 'Leave guessProtection (policy.failure_budget) at its default, or give it attempts and a window.',
    find: options => {
      const isUnlimited =
        options.guessProtection === false && clientsOf(options).some(({ client }) => secretMethods.includes(methodOf(client)))
      return spotAt('guessProtection', isUnlimited && 'Secrets of clients can be guessed as often as anybody likes')
    }
  },
  {
    id: 'assertion_audience_wide',
    level: 'error',
    section: 'rfc7523bis §4',
    fix: 'Set assertionAudience to "issuer" once whoWouldBreak() names nobody any more.',
    find: ({ assertionAudience }) => {
      if (assertionAudience === 'legacy')
        return spotAt('assertionAudience', 'Assertions that were made for another server’s token endpoint may be good here')
      return spotAt('assertionAudience', assertionAudience === 'report' && reportedAudience, 'warning')
    }
  },
  {
    id: 'development_errors',
    level: 'error',
    section: 'RFC 6749 §5.2',
    fix: 'Leave developmentErrors out, and read decisions in the log or at onDecision.',
    find: ({ developmentErrors }) =>
      spotAt('developmentErrors', developmentErrors === true && 'Every refused client is told why, and so is whoever tries')
  },
  {
    id: 'json_body',
    level: 'note',
    section: 'RFC 6749 §3.2',
    fix: 'Leave jsonBody (policy.json_body) out where no client needs it: a form is what every client can send.',
    find: ({ jsonBody }) =>
      spotAt('jsonBody', jsonBody === true && 'The token endpoint reads JSON beside the form that the specification has')
  }
]

const registration: readonly Rule<LintedOptions>[] = [
  {
    id: 'open_registration',
    level: 'warning',
    section: 'RFC 7591 §5',
    fix: 'Ask for an initial access token, or turn to client documents, which at least name a host.',
    find: ({ registration: open }) =>
      spotAt('registration.access', open?.access === 'open' && 'Anybody may register a client, under any name')
  },
  {
    id: 'open_registration_grants',
    level: 'error',
    section: 'RFC 7591 §5',
    fix: 'Name the grants that may be registered: those in which a person decides.',
    find: ({ registration: open, tokenIssuers }) => {
      if (open?.access !== 'open') return []
      const offered = open.grantTypes ?? tokenIssuers?.map(({ grant_type }) => grant_type) ?? ['client_credentials']
      const grants = offered.filter(grant => !grantsOfPeople.includes(grant))
      return spotAt(
        'registration.grantTypes',
        grants.length > 0 && `Anybody may register for grants no person decides on: ${grants.join(', ')}`
      )
    }
  },
  {
    id: 'weak_initial_access_token',
    level: 'error',
    section: 'RFC 6749 §10.10',
    fix: 'Generate it: openssl rand -base64 32.',
    find: ({ registration: given }) =>
      (given?.initialAccessTokens ?? []).flatMap((token, index) =>
        spotAt(
          `registration.initialAccessTokens[${index}]`,
          secretBits(token) < guessableBits && 'The token that lets anybody register can be guessed'
        )
      )
  },
  {
    id: 'private_use_scheme',
    level: 'note',
    section: 'RFC 8252 §7.1',
    fix: 'Let in schemes in reverse domain notation, such as com.example.app.',
    find: ({ registration: given }) =>
      (given?.schemes ?? []).flatMap((scheme, index) =>
        spotAt(
          `registration.schemes[${index}]`,
          !scheme.includes('.') && 'Any app on a device can claim a scheme without a domain in it'
        )
      )
  },
  {
    id: 'documents_of_anyone',
    level: 'note',
    section: 'Client ID Metadata Document §6',
    fix: 'Name the hosts whose clients you know, where you know them.',
    profile: 'oauth2.1',
    find: ({ clientDocuments }) =>
      spotAt(
        'clientDocuments.hosts',
        clientDocuments !== undefined &&
          letsAnyIn(clientDocuments.hosts) &&
          'A client document of any host is a client of this server'
      )
  }
]

const tokens: readonly Rule<LintedOptions>[] = [
  {
    id: 'long_access_tokens',
    level: 'warning',
    section: 'RFC 9700 §2.2.1',
    fix: 'Let them live for an hour at most, and use refresh tokens.',
    find: ({ accessTokenTtl }) => overlong('accessTokenTtl', accessTokenTtl, day)
  },
  {
    id: 'long_authorization_codes',
    level: 'warning',
    section: 'RFC 6749 §4.1.2',
    fix: 'Leave it at 60 s: a code is redeemed at once or not at all.',
    find: ({ authorizationCodeTtl }) => overlong('authorizationCodeTtl', authorizationCodeTtl, 300)
  },
  {
    id: 'long_refresh_tokens',
    level: 'warning',
    section: 'RFC 9700 §4.14',
    fix: 'Let a refresh token that nobody uses end after 90 days at most.',
    find: ({ refreshTokenTtl }) => overlong('refreshTokenTtl', refreshTokenTtl, 90 * day)
  },
  {
    id: 'long_refresh_retries',
    level: 'warning',
    section: 'RFC 9700 §4.14.2',
    fix: 'Leave it at 10 s: it is for an answer that got lost on the way.',
    find: ({ refreshRetryWindow }) => overlong('refreshRetryWindow', refreshRetryWindow, 60)
  },
  {
    id: 'scope_of_several_resources',
    level: 'warning',
    section: 'RFC 9700 §2.3',
    fix: 'Give each resource scope values of its own, or have clients send resource.',
    find: options =>
      [...resourcesOfScopes(options)].flatMap(([scope, owners]) =>
        spotAt(
          `resources[${owners[1] ?? 0}].scopes`,
          owners.length > 1 &&
            `${scope} belongs to several resources: a token for it is for none, and one of them can use it at another`
        )
      )
  },
  {
    id: 'tokens_without_audience',
    level: 'warning',
    section: 'RFC 9700 §2.3',
    fix: 'Set defaultResource (policy.default_resource) to "inferred".',
    find: ({ defaultResource, resources = [] }) =>
      spotAt(
        'defaultResource',
        defaultResource === 'none' && resources.length > 0 && 'A request without resource gets a token that names no audience'
      )
  },
  {
    id: 'tokens_unbound',
    level: 'note',
    section: 'RFC 9700 §2.2.1',
    fix: 'Register dpop_bound_access_tokens or tls_client_certificate_bound_access_tokens for the clients that can.',
    find: options => {
      const clients = clientsOf(options)
      const isBound = clients.some(
        ({ client }) => client.dpop_bound_access_tokens === true || client.tls_client_certificate_bound_access_tokens === true
      )
      return spotAt(
        'clients',
        clients.length > 0 &&
          !isBound &&
          'No client’s access tokens are bound to a key or certificate: whoever has one can use it'
      )
    }
  }
]

/** The rules. */
export const serverRules: readonly Rule<LintedOptions>[] = [...protection, ...registration, ...tokens, ...mcpRules]

function usesCodes({ grant_types }: ClientMetadata): boolean {
  return (grant_types ?? ['authorization_code']).includes('authorization_code')
}

/** A function says of each address itself. */
function letsAnyIn(hosts: NonNullable<LintedOptions['clientDocuments']>['hosts'] = ['*']): boolean {
  return typeof hosts !== 'function' && hosts.includes('*')
}
