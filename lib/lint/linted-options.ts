/** Options as the rules read them: anything may be missing, and everything that is there has been checked already. */
import type { ClientMetadata } from '../clients/client.ts'
import { defaultMethod } from '../clients/methods.ts'
import { isLoopbackHost } from '../options.ts'
import type { ProfiledOptions } from '../profiles.ts'

/** The options of `authorizationServer()` or `tokenRouter()`, as far as a rule has something to say about them. */
export interface LintedOptions extends ProfiledOptions {
  /** The issuer identifier. */
  readonly issuer?: string | undefined
  /** Which clients must use PKCE. */
  readonly requirePkce?: string | undefined
  /** Limits on clients that register themselves. */
  readonly registration?:
    | {
        /** Access to registration: `open` lets anybody register. */
        readonly access?: string | undefined
        /** The grants that may be registered. */
        readonly grantTypes?: readonly string[] | undefined
        /** The private-use schemes that are let in. */
        readonly schemes?: readonly string[] | undefined
        /** The tokens that let somebody register. */
        readonly initialAccessTokens?: readonly string[] | undefined
      }
    | undefined
  /** The grants, each by its token issuer. */
  readonly tokenIssuers?: readonly { /** The grant. */ readonly grant_type: string }[] | undefined
  /** Limits that slow guessing down, or false. */
  readonly guessProtection?: unknown
  /** Seconds an access token lives. */
  readonly accessTokenTtl?: number | undefined
  /** Seconds a refresh token lives. */
  readonly refreshTokenTtl?: number | undefined
  /** Seconds the previous refresh token is answered once more. */
  readonly refreshRetryWindow?: number | undefined
  /** The APIs. */
  readonly resources?:
    | readonly {
        /** Names the API. */
        readonly resource?: string | undefined
        /** Its scope values. */
        readonly scopes?: readonly string[] | undefined
        /** The algorithm its access tokens are signed with. */
        readonly signingAlgorithm?: string | undefined
      }[]
    | undefined
  /** Target of a token whose request names no resource. */
  readonly defaultResource?: string | undefined
  /** Whether the token endpoint reads JSON too. */
  readonly jsonBody?: boolean | undefined
  /** Whether refused clients are told why. */
  readonly developmentErrors?: boolean | undefined
  /** The clients that are named by the address of their metadata. */
  readonly clientDocuments?:
    { /** The hosts they may be at. */ readonly hosts?: readonly string[] | ((address: URL) => boolean) | undefined } | undefined
  /** Surroundings of the server. Default: nothing is known of them. */
  readonly deployment?: LintedDeployment | undefined
}

/** Facts that a configuration states beside the options of the server. */
export interface LintedDeployment {
  /** Whether any authority of client certificates is trusted. */
  readonly hasClientAuthorities?: boolean | undefined
  /** The addresses and networks whose certificate header is believed. */
  readonly trustedProxies?: readonly string[] | undefined
  /** Certificates, each with the milliseconds since the epoch at which it expires. */
  readonly certificates?:
    readonly { /** Names the setting. */ readonly where: string; /** The end. */ readonly expires: number }[] | undefined
  /** The issuers whose assertions are accepted. */
  readonly trustedIssuers?: readonly string[] | undefined
  /** Warnings given at start. */
  readonly warnings?:
    readonly { /** Names the setting. */ readonly where: string; /** The warning. */ readonly message: string }[] | undefined
}

/** A client of a list, and the path it is found at. */
export interface LintedClient {
  readonly client: ClientMetadata
  readonly path: string
}

/** The clients that are a list; those a function finds nobody can look through. */
export function clientsOf({ clients }: LintedOptions): readonly LintedClient[] {
  if (!Array.isArray(clients)) return []
  return (clients as readonly ClientMetadata[]).map((client, index) => ({ client, path: `clients[${index}]` }))
}

/** The method a client is registered for (RFC 7591 §2). */
export function methodOf({ token_endpoint_auth_method }: ClientMetadata): string {
  return token_endpoint_auth_method ?? defaultMethod
}

/** Whether an address can be read and changed on the way there. */
export function isInsecure(address: string): boolean {
  const url = URL.canParse(address) ? new URL(address) : undefined
  return url?.protocol === 'http:' && !isLoopbackHost(url.hostname)
}

/** What the audience `report` lets happen, of a server and of one client alike. */
export const reportedAudience = 'Assertions addressed to the token endpoint are let through and reported'

/** The strings of a member that is a list. */
export function stringsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(one => typeof one === 'string') : []
}
