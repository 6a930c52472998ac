/** Requests as client authentication sees them. Values only: nothing here knows Express. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Client, ClientRegistry } from './clients/client.ts'
import type { DecisionBuilder } from './decisions/builder.ts'
import type { Decision, OpenCheckName } from './decisions/decision.ts'
import type { LateUse } from './stores/late-use.ts'
import type { Store } from './stores/store.ts'

/**
 * Something a request visibly carries to authenticate its client. Two of them in one request are an error (RFC 6749
 * §2.3); `client_id` alone is the weakest and yields to any other. A client certificate is no mechanism of its own: it
 * comes with the connection, and counts only for the clients registered to use it.
 */
export type Mechanism = 'authorization_header' | 'body_secret' | 'assertion' | 'client_id' | (string & {})

/** Key under which the parameters keep the values of `resource` after the first. */
export const furtherResources: unique symbol = Symbol('further resources')

/**
 * The request's parameters: each at most once, none empty, all strings (RFC 6749 §3.2). No prototype, so
 * `parameters['constructor']` is undefined unless it was sent. Only `resource` may be sent several times (RFC 8707 §2):
 * there is the first one here, and all of them in {@link requestedResources}.
 */
export type Parameters = Readonly<Partial<Record<string, string>>>

/** Every resource a request names, in the order it does, each once (RFC 8707 §2). */
export function requestedResources(parameters: Parameters): readonly string[] {
  const { resource } = parameters
  const further = (parameters as { readonly [furtherResources]?: readonly string[] })[furtherResources]
  if (further !== undefined && resource !== undefined) return [...new Set([resource, ...further])]
  return resource === undefined ? [] : [resource]
}

/** A client certificate as it reached us. */
export interface PresentedCertificate extends ChainVerdict {
  /** The leaf, DER. */
  readonly der: Uint8Array
  /**
   * Certificates sent along with it, DER, from its issuer's upwards; absent where that is not known. None of them is
   * verified.
   */
  readonly chain?: readonly Uint8Array[]
  /**
   * Whether whoever terminated TLS verified the chain to a CA they were told to trust. Self-signed certificates are
   * `false`, and so is one that is still to be verified here.
   */
  readonly verified: boolean
  /**
   * Verifies the chain here, at a time in milliseconds since the epoch; what it resolves to counts instead of
   * `verified`. Absent where there is nothing to verify it with. Called only by who relies on the chain. Rejects with
   * an OAuthError where that cannot be told at the moment.
   */
  readonly verify?: (now: number) => Promise<ChainVerdict>
}

/** Whether a certificate's chain leads to a trusted CA. */
export interface ChainVerdict {
  /** True: it does. */
  readonly verified: boolean
  /** Why it does not, where that is known. */
  readonly reason?: string
}

/** A request, as far as authenticating its client goes. */
export interface ClientRequest {
  /** The endpoint's metadata name without `_endpoint`, such as `token`. */
  readonly endpoint: string
  /** The request's headers, by their names in lower case. */
  readonly headers: IncomingHttpHeaders
  /** The parameters of its body. */
  readonly parameters: Parameters
  /** Reads the client certificate; undefined where none was presented. */
  readonly certificate: () => PresentedCertificate | undefined
  /**
   * Why something that looked like a certificate was not taken for one, once `certificate` was called; for the
   * operator.
   */
  readonly certificateNote?: () => string | undefined
  /** The client's authentication; absent until it has proved itself. */
  authentication?: ClientAuthentication | undefined
  /**
   * Which of the client's credentials it was, as they are listed: of a certificate its subject, where that is what is
   * registered.
   */
  used?: string | undefined
  /** The client this request was found to name, so that selecting and verifying look it up once. */
  found?:
    | {
        /** The registry it was found in. */ readonly clients: ClientRegistry
        /** The `client_id` that was looked up. */ readonly client_id: string
        /** The client; undefined where there is none. */ readonly client: Client | undefined
      }
    | undefined
  /** The outcome of judging it: the client, or the error it was refused with. Told as a decision already. */
  judged?: Client | Error | undefined
  /** The id of the request's trace, for decisions; see `traceIdOf()`. Absent: each decision makes its own. */
  readonly traceId?: () => string
  /** Told of the decision, beside whoever the strategy tells. */
  onDecision?: ((decision: Decision) => void) | undefined
  /** Told too, where the server itself wants to know. */
  watch?: DecisionWatch | undefined
  /** The place this request holds among those whose secrets are judged; absent where nothing bounds them. */
  guess?: GuessInFlight | undefined
  /** The addresses it may have been sent to, by configuration; for methods that sign where a request goes. */
  addresses?: (() => readonly string[]) | undefined
  /**
   * The key of a DPoP proof that was verified, and used up, with the client's authentication: it is not to be verified
   * again.
   */
  dpop?: { /** The key's RFC 7638 thumbprint. */ readonly jkt: string } | undefined
  /** Proof asked of it beside its client's; absent: none. */
  further?: FurtherProof | undefined
  /** Set where it is judged to see what would come of it: nothing is used up, noted or told then. */
  trial?: Trial | undefined
  /**
   * The store in which the endpoint records what it answers with, set by one that records late uses with that; absent:
   * whatever is used up is, before the client is authenticated.
   */
  recordsIn?: Store | undefined
  /** The use of what proved the client, where that is left to the endpoint: before its answer, it has to be settled. */
  lateUse?: LateUse | undefined
}

/** A judgement of which nothing remains. */
export interface Trial {
  /** The store as this judgement sees it: what it writes there is for itself alone. */
  view(store: Store): Store
}

/**
 * The store in which a method keeps what a request uses up. Whoever writes a method that uses something up asks for it
 * here: then a candidate configuration can try the method (`shadow`) and use up nothing.
 *
 * @example
 * if (!(await storeFor(request, this.store).add(key, null, 60))) throw decision.refuse('replay')
 */
export function storeFor({ trial }: Pick<ClientRequest, 'trial'>, store: Store): Store {
  return trial === undefined ? store : trial.view(store)
}

/** Something a server asks of clients beside how they prove themselves. */
export interface FurtherProof {
  /** Methods of this mechanism have proved it already. */
  readonly mechanism: Mechanism
  /** The checks a request goes through, in order; none where nothing is asked of it. */
  checks(request: ClientRequest): readonly OpenCheckName[]
  /** Passes each check on the decision, or throws what it refuses with. */
  prove(request: ClientRequest, client: Client, decision: DecisionBuilder): Promise<void>
  /** Headers that every answer to the request has. */
  answerHeaders(request: ClientRequest): Readonly<Record<string, string>>
}

/** The guesser a request comes from, for what costs a lot to judge. */
export interface GuessInFlight {
  readonly network: string
  /** Its network has used up its wrong guesses: nothing costly is computed for it. */
  readonly spent: boolean
}

/** A server that looks at what is decided. */
export interface DecisionWatch {
  /** False: only decisions that report something are wanted. */
  readonly every: boolean
  tell(decision: Decision): void
}

/** The proof a client gave of itself; kept with what it was granted. */
export interface ClientAuthentication {
  /** The method, a `token_endpoint_auth_method` value. */
  readonly method: string
  /**
   * Which of the client's credentials it was, where the method has any: `secret:<id>`, `kid:<kid>`,
   * `x5t#S256:<thumbprint>`.
   */
  readonly credential?: string
  /**
   * RFC 7638 thumbprint of the key of the client's instance, where an attester vouched for that: what it gets is this
   * instance's alone.
   */
  readonly instance?: string
}

/** Reads the time: milliseconds since the epoch, as `Date.now` does. */
export type Clock = () => number
