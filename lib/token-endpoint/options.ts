/** The options of a token endpoint. */
import { attestationOptionChecks, type AttestationOptions } from '../assertions/attestation/options.ts'
import { dialChecks, type AssertionDials } from '../assertions/assertion-dials.ts'
import { assertionAlgorithmsCheck, assertionAudienceCheck } from '../assertions/assertion-policy.ts'
import { workloadsCheck, type WorkloadsOptions } from '../assertions/workloads/options.ts'
import type { JudgedListener } from '../authentication/judged.ts'
import { shadowChecks, type ShadowOptions } from '../authentication/shadow/options.ts'
import type { CertificateSource } from '../certificates/source.ts'
import { clientsCheck, type AssertionAudience, type ClientRegistry, type ClientSource } from '../clients/client.ts'
import { clientDocumentsCheck, type ClientDocumentsOptions } from '../clients/documents/options.ts'
import { guessProtectionChecks, type GuessProtectionOptions } from '../credentials/guesses/guess-protection.ts'
import type { BasicEncoding } from '../credentials/secrets/client-secret.ts'
import type { Decision } from '../decisions/decision.ts'
import type { DevelopmentErrorOptions } from '../http/development-errors.ts'
import { endpointPathsChecks, type EndpointPaths } from '../http/endpoint-paths.ts'
import { errorHandlerChecks, type OAuthErrorHandlerOptions } from '../http/error-handler.ts'
import { flag, fn, listOf, nested, orFalse, type Checks, type Read } from '../options.ts'
import type { FetchJson } from '../outbound/guarded-fetch.ts'
import { profileCheck, type Profile } from '../profiles.ts'
import { basicEncodingCheck } from '../strategies/client-secret-basic.ts'
import { secretHashChecks, type SecretHashOptions } from '../strategies/secret-proof.ts'
import { strategiesCheck, type ClientAuthenticationStrategy } from '../strategies/strategy.ts'
import { tokenIssuersCheck, type TokenIssuer } from '../token-issuers/token-issuer.ts'
import { tokenChecks, type TokenOptions } from '../tokens/token-server.ts'

/** The options of `tokenRouter()`. */
export interface TokenRouterOptions extends TokenOptions, DevelopmentErrorOptions, SecretHashOptions {
  /** The registered clients: a list of metadata, or a function that finds one by its client_id. */
  readonly clients: ClientSource | ClientRegistry
  /** The client authentication methods. Default: every one built in. */
  readonly strategies?: readonly ClientAuthenticationStrategy[] | undefined
  /** The grants. Default: every one built in that needs no options. */
  readonly tokenIssuers?: readonly TokenIssuer[] | undefined
  /** True also reads `application/json` bodies, against RFC 6749 §3.2. Default false. */
  readonly jsonBody?: boolean | undefined
  /** Which `aud` of a client assertion is accepted beside the issuer. Default `issuer`: none. */
  readonly assertionAudience?: AssertionAudience | undefined
  /**
   * The signature algorithms accepted of client assertions. Default: all that can be verified; those of FAPI 2.0 §5.4.1
   * under its profile.
   */
  readonly assertionAlgorithms?: readonly string[] | undefined
  /**
   * Rules about client assertions that are enforced or only reported, one by one; {@link BreakReport} says who breaks
   * them.
   */
  readonly assertionDials?: AssertionDials | undefined
  /**
   * Treatment of clients that do not form-encode their client_id and secret in the Authorization header (RFC 6749
   * §2.3.1). Default `report`: they are let in where the secret is right as it came, and reported; `enforce`: they are
   * refused.
   */
  readonly basicEncoding?: BasicEncoding | undefined
  /**
   * Paths of endpoints below the issuer, by their metadata names without `_endpoint`:
   * `{ token: '/token', jwks: '/keys' }`. Metadata and its aliases follow. Default: below `/oauth2`.
   */
  readonly paths?: EndpointPaths | undefined
  /**
   * The token endpoint's own URL: what `report` and `legacy` accept as `aud`. Default: the issuer and the path of the
   * token endpoint.
   */
  readonly tokenEndpoints?: readonly string[] | undefined
  /** Source of client certificates. Default: the TLS connection itself. */
  readonly certificateSource?: CertificateSource | undefined
  /** False leaves the certificate methods out of the built-in strategies. Default true. */
  readonly certificateMethods?: boolean | undefined
  /**
   * Fetches a client's `jwks_uri`. Default: https only, to public addresses (loopback too where the issuer itself is on
   * it).
   */
  readonly fetchJson?: FetchJson | undefined
  /**
   * Lets in clients whose `client_id` is the https URL of a document with their metadata (Client ID Metadata Document),
   * fetched when one comes. Default: there are no such clients. Not together with `strategies` of one's own, which know
   * none of them.
   */
  readonly clientDocuments?: ClientDocumentsOptions | undefined
  /**
   * Authorities trusted for the workloads that clients are: platforms that sign tokens, and SPIFFE trust domains. Adds
   * the methods `federated_jwt`, `spiffe_jwt` and `spiffe_x509`. Default: none, and there are no such methods. With
   * `strategies` of one's own it adds none, and is for `jwtBearer({ workloads: true })` alone.
   */
  readonly workloads?: WorkloadsOptions | undefined
  /**
   * Takes attestations of client instances (`attest_jwt_client_auth`, `attest_jwt_client_auth_dpop`). Default: none.
   * Not together with `strategies` of one's own, nor under `fapi2-security`.
   */
  readonly attestation?: AttestationOptions | undefined
  /**
   * `fapi2-security` turns every rule of the FAPI 2.0 Security Profile on, and refuses what breaks one. Default
   * `oauth2`.
   */
  readonly profile?: Profile | undefined
  /**
   * True asks every DPoP proof for a nonce of this server's, and hands out the next one with every answer where proofs
   * are taken (RFC 9449 §8). Default false.
   */
  readonly requireDpopNonce?: boolean | undefined
  /**
   * Wrong secrets tolerated per client and network, and in which time; then 429 until the window ends. Default 20 in 60
   * seconds; false: any number. Behind a proxy, set Express's `trust proxy`, or all clients are one network.
   */
  readonly guessProtection?: GuessProtectionOptions | false | undefined
  /** Told of every authentication and how each check came out. What it throws or rejects with is ignored. */
  readonly onDecision?: ((decision: Decision) => void) | undefined
  /**
   * Told the same with what was presented, as JSON that can be kept and judged again under other options: no secret, no
   * signature, nothing that could be presented again. Default: nobody is. What it throws or rejects with is ignored.
   */
  readonly onJudged?: JudgedListener | undefined
  /** Told of every error before it is answered. */
  readonly onError?: OAuthErrorHandlerOptions['onError']
  /**
   * Tries a candidate configuration on live requests: a share of them is judged by it too, once they are answered, and
   * who would have been judged otherwise is told. Nothing is used up, and no answer changes or waits. Default: none.
   */
  readonly shadow?: ShadowOptions<TokenRouterCandidate> | undefined
}

/** The options of a token endpoint that a candidate can change: all that decides who is authenticated. */
export type TokenRouterCandidate = Partial<
  Pick<
    TokenRouterOptions,
    | 'clients'
    | 'strategies'
    | 'assertionAudience'
    | 'assertionAlgorithms'
    | 'assertionDials'
    | 'basicEncoding'
    | 'certificateSource'
    | 'certificateMethods'
    | 'fetchJson'
    | 'workloads'
    | 'attestation'
    | 'profile'
  >
>

/** The checks of those that decide who is authenticated. */
export const judgingChecks = {
  clients: clientsCheck,
  strategies: strategiesCheck,
  assertionAudience: assertionAudienceCheck,
  assertionAlgorithms: assertionAlgorithmsCheck,
  assertionDials: nested(dialChecks, {}),
  basicEncoding: basicEncodingCheck,
  certificateSource: fn<CertificateSource>(),
  certificateMethods: flag(true),
  fetchJson: fn<FetchJson>(),
  workloads: workloadsCheck,
  attestation: nested(attestationOptionChecks),
  profile: profileCheck
} satisfies Checks<TokenRouterCandidate>

export const tokenRouterChecks = {
  ...tokenChecks,
  ...secretHashChecks,
  ...judgingChecks,
  tokenIssuers: tokenIssuersCheck,
  jsonBody: flag(false),
  paths: nested(endpointPathsChecks),
  tokenEndpoints: listOf('URLs', (url): url is string => typeof url === 'string' && URL.canParse(url)),
  clientDocuments: clientDocumentsCheck,
  requireDpopNonce: flag(false),
  guessProtection: orFalse(nested(guessProtectionChecks, {})),
  ...errorHandlerChecks,
  onDecision: fn<(decision: Decision) => void>(),
  onJudged: fn<JudgedListener>(),
  shadow: nested(shadowChecks(judgingChecks))
} satisfies Checks<TokenRouterOptions>

/** Every option of a token endpoint, read. */
export type ReadTokenRouter = Read<typeof tokenRouterChecks>
