/**
 * OAuth 2.0 client authentication for Express.
 *
 * Three ways in: {@link authorizationServer} for a whole server, {@link tokenRouter} for the token endpoint, and the
 * strategies with {@link authenticateClient} for routes of one's own.
 *
 * The events of {@link ServerEvent} have names of their own in `clientele/events`.
 *
 * @module clientele
 */

// 1. a whole authorization server
export {
  authorizationServer,
  type AuthorizationServer,
  type AuthorizationServerOptions
} from './authorization-server/authorization-server.ts'
export type { KeptClientKeys, TokenFunctions } from './authorization-server/token-functions.ts'
export type { EndpointPaths } from './http/endpoint-paths.ts'
export type { RegistrationFunctions } from './endpoints/registration/end-registration.ts'
export type { ProtectedResourceMetadataOptions } from './protected-resource/metadata.ts'
export type { AuthenticatingEndpoint, EndpointAuthMethods } from './authentication/per-endpoint.ts'
export type { RequireAccessTokenOptions } from './protected-resource/require-access-token.ts'
export type { AuthorizationDetailCheck, AuthorizationDetailTypes } from './authorization-requests/authorization-details.ts'
export type { Account } from './authorization-requests/account.ts'
export type { ErrorDetails, Interaction, InteractionPrompt, InteractionResult } from './endpoints/authorization/interaction.ts'
export { requestedResources, storeFor, type Trial } from './client-request.ts'
export { clientOrigin, type ClientOrigin } from './clients/client-origin.ts'
export type { PersonGrant, PersonGrants } from './tokens/person-grants.ts'

export { tenants, type TenantOptions, type Tenants, type TenantsOptions } from './authorization-server/tenants.ts'

// clients with documents of their own
export type { ClientDocumentLimits, ClientDocumentsOptions } from './clients/documents/options.ts'
export { clientDocument, type ClientDocument, type ConsentedMember } from './clients/documents/document.ts'

// clients that register themselves
export { registeredClients } from './clients/registered-clients.ts'
export type {
  RegistrationLimits,
  RegistrationOptions,
  RegistrationPolicy,
  RegistrationRequest
} from './endpoints/registration/options.ts'
export type { SoftwareStatementOptions } from './assertions/software-statement.ts'

export type { DeviceAuthorization, DeviceVerification } from './endpoints/device-authorization/endpoint.ts'
export type { DeviceAuthorizationOptions } from './endpoints/device-authorization/options.ts'

export type { BackchannelDecisions } from './endpoints/backchannel-authentication/decisions.ts'
export type {
  BackchannelAuthentication,
  BackchannelAuthenticationOptions,
  PersonHint
} from './endpoints/backchannel-authentication/options.ts'
export type { LogoutFunctions, WhoseSessions } from './endpoints/end-session/functions.ts'
export type { LogoutOptions, LogoutOutcome, LogoutPrompt } from './endpoints/end-session/options.ts'
export { NotificationError } from './endpoints/backchannel-authentication/delivery.ts'

export { checkProfile, type Profile, type ProfiledOptions, type ProfileProblem } from './profiles.ts'

export { createServer, type ClientEndpoints, type CreateServerOptions, type ExpressApplication } from './create-server.ts'

// 2. the token endpoint in an application that has the rest
export { tokenRouter, type TokenRouter, type TokenRouterOptions } from './authorization-server/token-router.ts'
export type { CodeRequest, IssuedCode } from './authorization-requests/issue-code.ts'
export {
  authorizationCode,
  ciba,
  clientCredentials,
  deviceCode,
  jwtBearer,
  refreshToken,
  tokenExchange
} from './token-issuers/index.ts'
export type { JwtBearerOptions, WorkloadBearerOptions } from './token-issuers/jwt-bearer.ts'
export type { ExchangeRequest, ExchangeVerdict, TokenExchangeOptions } from './token-issuers/token-exchange.ts'
export type { FindSubject, TrustedIssuer, TrustedJwt } from './assertions/trusted-issuers.ts'
export type { PresentedToken, PresentedTokenType } from './tokens/presented-token.ts'
export type { Actor, AllowedActor } from './tokens/actor.ts'
export { requestedScope, requiredParameter, type TokenIssuer, type TokenRequest } from './token-issuers/token-issuer.ts'
export type { AccountClaims, AuthorizationDetail, Grant, RequestedClaims } from './tokens/grant.ts'
export type { ResourceOptions } from './tokens/resource.ts'
export type {
  ResponseShape,
  TokenOptions,
  TokenRecipient,
  TokenResponse,
  TokenServer,
  UnrecordedRefreshToken
} from './tokens/token-server.ts'
export type { AccessToken, AccessTokenMembers } from './tokens/access-token.ts'
export type { ClaimsAccount, ClaimsContext, ClaimsHook, FindToken, ForeignToken, IdTokenClaims } from './tokens/hooks.ts'
export type { Confirmation } from './tokens/confirmation.ts'
export {
  generateKeys,
  signingAlgorithms,
  type KeySource,
  type PrivateKeySet,
  type SigningAlgorithm
} from './signing-keys/generate-keys.ts'
export { storedKeys, type StoredKeys, type StoredKeysOptions } from './signing-keys/stored-keys.ts'

// 3. client authentication on routes of one's own, method by method
export {
  authenticateClient,
  type AuthenticateClientCandidate,
  type AuthenticateClientOptions
} from './authentication/authenticate-client.ts'
export type {
  AssertionFacts,
  CertificateFacts,
  JudgedAuthentication,
  JudgedListener,
  PresentedFacts
} from './authentication/judged.ts'
export type { ShadowDifference, ShadowEffect } from './authentication/shadow/difference.ts'
export type { ShadowOptions } from './authentication/shadow/options.ts'
export type { TokenRouterCandidate } from './token-endpoint/options.ts'
export * from './strategies/index.ts'
export type { JwtStrategyOptions } from './strategies/jwt-strategy.ts'
export { clientAttestation, type AttestationProof, type ClientAttestation } from './assertions/attestation/attestation.ts'
export type { Attester } from './assertions/attestation/attesters.ts'
export type { AttestationOptions, AttestationPolicyOptions, ClientAttestationOptions } from './assertions/attestation/options.ts'
export type { AssertionOptions } from './assertions/assertion-policy.ts'
// other platforms' word for the workloads that clients are
export type {
  ClientOfToken,
  TrustDomain,
  WorkloadDials,
  WorkloadIssuer,
  WorkloadsOptions
} from './assertions/workloads/options.ts'
export type { ClaimRule, ClaimRules, FederatedCredential, FederatedRule } from './clients/federated-credential.ts'

export type { BasicEncoding } from './credentials/secrets/client-secret.ts'
export type { ClientAuthenticationStrategy, Identification } from './strategies/strategy.ts'

// a method of one's own
export { MethodStrategy } from './strategies/method-strategy.ts'
export type { Proof, Proven, StrategyContext, StrategyOptions } from './strategies/attempt.ts'
export { clientKeys, type CandidateKey, type ClientKeys, type ClientKeysOptions } from './client-keys/client-keys.ts'
export {
  guardedDownload,
  guardedFetch,
  guardedPost,
  type FetchedJson,
  type FetchJson,
  type GuardedFetchOptions,
  type HostAddress,
  type PostJson
} from './outbound/guarded-fetch.ts'

// clients, requests and decisions
export {
  isPublic,
  type AssertionAudience,
  type Client,
  type ClientMetadata,
  type ReadMetadata,
  type RegisteredMetadata,
  type ClientRegistry,
  type ClientSource,
  type WhyUnknown
} from './clients/client.ts'
export { unknownMembers, type UnknownMember } from './clients/metadata/read.ts'
export type {
  ChainVerdict,
  ClientAuthentication,
  ClientRequest,
  Clock,
  FurtherProof,
  Mechanism,
  Parameters,
  PresentedCertificate
} from './client-request.ts'
export {
  checkNames,
  checkSections,
  type Check,
  type CheckDetail,
  type CheckName,
  type CheckOutcome,
  type Decision,
  type OpenCheckName
} from './decisions/decision.ts'
export type { DecisionBuilder } from './decisions/builder.ts'

// what happens, for whoever operates it
export type { EventListener } from './events/event-source.ts'
export { breakReport, type BreakReport, type BreakReportOptions, type WouldBreak } from './events/break-report.ts'
export type { AssertionDials } from './assertions/assertion-dials.ts'
export type { ServerEvent } from './events/events.ts'
export { traceIdOf } from './http/trace.ts'

// where client certificates come from
export { directTls, type CertificateSource } from './certificates/source.ts'
export { proxyCertificate } from './certificates/proxy/proxy-certificate.ts'
export { tlsCertificate, type TlsCertificateOptions } from './certificates/tls-certificate.ts'
export type { CertificateReport, ProxyCertificateOptions } from './certificates/proxy/options.ts'
export { certificateHeaders, type CertificateHeader } from './certificates/proxy/presets.ts'
export type { CertificateFormat } from './certificates/proxy/formats.ts'
export type { CertificateInput } from './certificates/x509/chain.ts'

export {
  guessProtection,
  type GuessProtection,
  type GuessProtectionOptions,
  type GuessProtectionSetup
} from './credentials/guesses/guess-protection.ts'
export type { Guess } from './credentials/guesses/guess-places.ts'

// credentials that change while the server runs
export { credentialSets, type CredentialSets, type CredentialSetsOptions } from './credentials/credential-sets.ts'
export type { AddedCredential, CertificateSubject, NewSecret, RotateSecretOptions } from './credentials/additions.ts'
export type { CredentialFunctions, RevokeCredentialOptions, RevokedCredentials } from './credentials/functions.ts'
export type { CredentialOptions } from './credentials/changes.ts'
export {
  storedClients,
  type AddedClient,
  type StoredClient,
  type StoredClients,
  type StoredClientsOptions
} from './credentials/stored-clients.ts'
export { CredentialError, type CredentialErrorCode } from './credentials/credential-error.ts'
export type { CredentialInfo } from './credentials/listing.ts'
export { hashSecret, verifySecret } from './credentials/secrets/human-secret.ts'
export type { SecretHashes, SecretUpgraded, VerifySecretHash } from './credentials/secrets/secret-hashes.ts'
export type { CredentialsOptions } from './credentials/server-credentials.ts'
export type { ClientCredential } from './clients/configured-credentials.ts'

// stores
export { memoryStore, type MemoryStoreOptions } from './stores/memory.ts'
export { scopedStore } from './stores/scoped.ts'
export type {
  Batch,
  BatchOutcome,
  BatchStore,
  FirstStep,
  Json,
  Key,
  Store,
  StoredRecord,
  Taken,
  WriteStep
} from './stores/store.ts'

// errors
export { oauthErrorHandler, type OAuthErrorHandlerOptions } from './http/error-handler.ts'
export * from './errors.ts'
export { ConfigurationError } from './options.ts'
