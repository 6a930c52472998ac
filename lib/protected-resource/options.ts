/** The options of `requireAccessToken()`, checked once, when the middleware is made. */
import { eachOf, flag, oneOf, required, textLike, type Checks } from '../options.ts'
import { isScopeToken } from '../tokens/scope.ts'

/** The options of `requireAccessToken()`. */
export interface RequireAccessTokenOptions {
  /**
   * The origins this API is reached at, such as `https://api.example.com`: what a DPoP proof's `htu` must begin with.
   * Never taken from the Host header. Default: the issuer's, and the mutual-TLS listener's.
   */
  readonly origins?: readonly string[] | undefined
  /** The resource indicators this API stands for. Tokens for others are refused. Default: those the server has. */
  readonly resources?: readonly string[] | undefined
  /**
   * `required`: a token that names no resource is refused too; which ones are accepted is for `resources` to say.
   * Default `optional`: a token that names none is good at every API of the server.
   */
  readonly audience?: 'required' | 'optional' | undefined
  /**
   * Scope values the token must have, all of them, each one of the server's own. Every challenge names them (RFC 6750
   * §3). Default none.
   */
  readonly scope?: readonly string[] | undefined
  /** The address of this API's protected resource metadata (RFC 9728 §5.1), for the challenge: an absolute URL. */
  readonly resourceMetadata?: string | undefined
  /**
   * True: a request that carried no token is challenged with `error` and `error_description` too, which RFC 6750 §3.1
   * leaves out: there are MCP clients that offer their sign-in for nothing else. Default false.
   */
  readonly alwaysError?: boolean | undefined
  /**
   * True: a DPoP proof must have, as `content_digest`, the SHA-256 digest of the request's body, of 4 MiB at most, and
   * may be five minutes off in return (the draft of MCP's DPoP extension). The body is left as it came for whatever
   * parses it; mount this before. Default false.
   */
  readonly contentDigest?: boolean | undefined
  /**
   * True: every answer has an `x-fapi-interaction-id`, the request's own or, where it has none, a new UUID, by which
   * both sides find it in their logs (FAPI 1.0 Part 1 §6.2.1). Default false.
   */
  readonly interactionId?: boolean | undefined
}

export const requireAccessTokenChecks = {
  origins: eachOf('origins', required(textLike('an origin, such as https://api.example.com', isOrigin))),
  resources: eachOf('resource indicators', required(textLike('an absolute URI without a fragment', isResource))),
  audience: oneOf(['required', 'optional'], 'optional'),
  scope: eachOf('scope values', required(textLike('a scope value', isScopeToken))),
  resourceMetadata: textLike('an absolute URL, written in ASCII', isQuotable),
  alwaysError: flag(false),
  contentDigest: flag(false),
  interactionId: flag(false)
} satisfies Checks<RequireAccessTokenOptions>

function isOrigin(value: string): boolean {
  return URL.canParse(value) && new URL(value).origin === value
}

function isResource(value: string): boolean {
  return URL.canParse(value) && !value.includes('#')
}

/** Whether a value is a URL that can stand between quotes in a header as it is. */
function isQuotable(value: string): boolean {
  return URL.canParse(value) && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(value)
}
