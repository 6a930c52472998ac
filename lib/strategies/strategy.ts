/**
 * The seam between a client authentication method and everything else. A method is a Passport strategy whose name is
 * its `token_endpoint_auth_method` value and which can also say, without deciding anything, whether a request carries
 * it.
 */
import type { Client } from '../clients/client.ts'
import type { OAuthError } from '../errors.ts'
import { ConfigurationError, readBy, type Check } from '../options.ts'
import type { ClientRequest, Mechanism } from '../client-request.ts'
import type { PassportStrategy } from './passport-strategy.ts'

/** Answer of {@link ClientAuthenticationStrategy.identify}. */
export type Identification =
  /** The request does not carry this method. */
  | { /** Says whether the request is for this strategy. */ readonly outcome: 'absent' }
  /** It does, but unreadably so: the error to answer with. */
  | {
      /** Says whether the request is for this strategy. */ readonly outcome: 'malformed'
      /** The error the request is refused with. */ readonly error: OAuthError
    }
  /** It does, for this client. Nothing is verified yet. */
  | {
      /** Says whether the request is for this strategy. */
      readonly outcome: 'present'
      /**
       * The client the request names; empty where it names none and what it carries leads to no single one: then it is
       * refused.
       */
      readonly client_id: string
      /**
       * The client it may be instead, where the request can be read in two ways: this one where there is no client of
       * the first.
       */
      readonly otherwise?: string
    }

/**
 * A client authentication method. `authenticate` follows Passport's rules: it must not be `async`, calls `fail` only
 * when the request does not carry the method, and ends everything else in `success(client)` or `error(new
 * InvalidClientError())`, because a `fail` would let the next strategy try a request whose credential was already
 * refused.
 *
 * Classes that implement it have no `#private` members: Passport runs them on `Object.create(strategy)`.
 */
export interface ClientAuthenticationStrategy extends PassportStrategy {
  /** The method's registered name, such as `private_key_jwt`. */
  readonly name: string
  /**
   * The kind of credential that requests of this method visibly carry. Methods that share a mechanism are told apart by
   * what the client registered.
   */
  readonly mechanism: Mechanism
  /** The `WWW-Authenticate` value of a method that uses the Authorization header. */
  readonly challenge?: string
  /**
   * True where `authenticate` asks nothing of the HTTP request that the {@link ClientRequest} read from it does not
   * have, as is so of every method built in: `authenticateClient()` then hands Passport a light stand-in, which is
   * empty as soon as the strategy has ended. Leave it out where `authenticate` needs the request itself.
   */
  readonly needsOnlyClientRequest?: boolean
  /**
   * True where nothing of its requests is in their body: on routes of the application's own the body is then left to
   * the application.
   */
  readonly headerOnly?: boolean
  /** True where what proves the client could be found by trying: its failures are counted (OAuth 2.1 §2.4.1). */
  readonly guessable?: boolean
  /**
   * Algorithms that assertions of this method may be signed with, for metadata and registration; left out by methods
   * that sign nothing.
   */
  readonly signingAlgorithms?: readonly string[]
  /**
   * True where the client's TLS certificate proves it: then connections of this server carry certificates, and metadata
   * says so.
   */
  readonly certificate?: boolean
  /** True where the client proves nothing: such a method is not accepted at endpoints for confidential clients. */
  readonly public?: boolean
  /**
   * True where what this method's requests carry may come beside another method too, and is then no second mechanism:
   * whoever mounts the strategies asks for it of those requests itself.
   */
  readonly supplementary?: boolean
  /** Headers that every answer to a request of this method has, refusals too: what the next such request needs. */
  answerHeaders?(request: ClientRequest): Readonly<Record<string, string>>
  /**
   * Says whose request this claims to be. Must not throw, and must not do work that depends on whether the client
   * exists.
   */
  identify(request: ClientRequest): Identification
  /**
   * Whether this is the method a request is meant for, among several that look alike: those the client may use, or all
   * of them where it may use none, or where there is no such client (then `client` has no members that say anything).
   * Decides nothing but which one judges. Leave it out where the method's requests look like no other's.
   */
  suits?(request: ClientRequest, client: Client): boolean
}

/**
 * Whether any of these would look into the body of a request that says in its headers who calls. Methods whose requests
 * carry a `client_id` alone do not: they are for requests that carry nothing else.
 */
export function readBodies(strategies: readonly Pick<ClientAuthenticationStrategy, 'headerOnly' | 'mechanism'>[]): boolean {
  return strategies.some(({ headerOnly, mechanism }) => headerOnly !== true && mechanism !== 'client_id')
}

export const absent: Identification = Object.freeze({ outcome: 'absent' })

/**
 * For the methods whose requests carry a client_id and no credential: `none`, and the certificate methods, whose
 * certificate comes with the connection. Absent as soon as the request carries any other proof.
 */
export function namesItselfOnly(request: ClientRequest): Identification {
  const { client_id, client_secret, client_assertion, client_assertion_type } = request.parameters
  const carriesMore = [request.headers.authorization, client_secret, client_assertion, client_assertion_type].some(
    value => value !== undefined
  )
  return client_id === undefined || carriesMore ? absent : { outcome: 'present', client_id }
}

const list = 'a list with at least one strategy'

/** Strategies, of which there are no two of one name. */
export const strategiesCheck: Check<readonly ClientAuthenticationStrategy[] | undefined> = readBy(list, (given, key) =>
  given === undefined ? undefined : checkStrategies(given, key)
)

function checkStrategies(strategies: unknown, path: string): readonly ClientAuthenticationStrategy[] {
  if (!Array.isArray(strategies) || strategies.length === 0) throw new ConfigurationError(path, `must be ${list}`)
  const names = new Set<string>()
  strategies.forEach((strategy: Partial<ClientAuthenticationStrategy> | null | undefined, index) => {
    const key = `${path}[${index}]`
    if (
      typeof strategy?.name !== 'string' ||
      typeof strategy.identify !== 'function' ||
      typeof strategy.authenticate !== 'function'
    ) {
      throw new ConfigurationError(key, 'must be a client authentication strategy, with a name, identify() and authenticate()')
    }
    if (names.has(strategy.name)) throw new ConfigurationError(key, `must not be a second strategy for ${strategy.name}`)
    names.add(strategy.name)
  })
  return strategies as readonly ClientAuthenticationStrategy[]
}
