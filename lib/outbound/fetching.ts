/** Requests to others over the network, and the reasons why they fail. */
import type { OutgoingHttpHeaders } from 'node:http'

/** Fetches a JSON document. Rejects with `GuardedFetchError`. */
export type FetchJson = (url: string) => Promise<FetchedJson>

/** A document that was fetched. */
export interface FetchedJson {
  /** The document. */
  readonly json: unknown
  /** Seconds the answer may be kept, by its own `Cache-Control`; undefined where it does not say. */
  readonly maxAge?: number
  /** The media type of the answer, in lower case and without parameters; undefined where it does not say. */
  readonly mediaType?: string
}

/**
 * Posts JSON, or a form, and resolves with the status it was answered with; nothing of the answer is read. Rejects with
 * `GuardedFetchError`.
 */
export type PostJson = (
  url: string,
  message: {
    /** Headers of the request. */ readonly headers: OutgoingHttpHeaders
    /** The body: sent as a form where it is one, and as JSON. */ readonly body: object | URLSearchParams
  }
) => Promise<number>

export type GuardedFetchReason =
  | 'invalid_url'
  | 'forbidden_scheme'
  | 'forbidden_user_info'
  | 'forbidden_address'
  | 'host_not_found'
  | 'timeout'
  | 'network'
  | 'status'
  | 'too_large'
  | 'not_json'
  | 'unacceptable'

/** Why nothing was fetched. `message` is a clause an operator can read; it quotes nothing of the answer. */
export class GuardedFetchError extends Error {
  override readonly name = 'GuardedFetchError'
  readonly reason: GuardedFetchReason
  constructor(reason: GuardedFetchReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}
