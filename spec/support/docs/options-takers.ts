/** Who takes options: in the order of the reference. */
import { attestationOptionChecks, clientAttestationChecks } from '../../../lib/assertions/attestation/options.ts'
import { dialChecks } from '../../../lib/assertions/assertion-dials.ts'
import { softwareStatementChecks } from '../../../lib/assertions/software-statement.ts'
import { trustedIssuerChecks } from '../../../lib/assertions/trust-rule.ts'
import { authenticateClientChecks } from '../../../lib/authentication/authenticate-client.ts'
import { shadowChecks } from '../../../lib/authentication/shadow/options.ts'
import { authorizationServerChecks } from '../../../lib/authorization-server/options.ts'
import { tenantsChecks } from '../../../lib/authorization-server/tenants.ts'
import { proxyCertificateChecks } from '../../../lib/certificates/proxy/options.ts'
import { tlsCertificateChecks } from '../../../lib/certificates/tls-certificate.ts'
import { clientKeysChecks } from '../../../lib/client-keys/client-keys.ts'
import { credentialSetsChecks } from '../../../lib/credentials/credential-sets.ts'
import { guessProtectionChecks } from '../../../lib/credentials/guesses/guess-protection.ts'
import { credentialsChecks } from '../../../lib/credentials/server-credentials.ts'
import { backchannelAuthenticationChecks } from '../../../lib/endpoints/backchannel-authentication/options.ts'
import { deviceAuthorizationChecks } from '../../../lib/endpoints/device-authorization/options.ts'
import { logoutChecks } from '../../../lib/endpoints/end-session/options.ts'
import { registrationChecks } from '../../../lib/endpoints/registration/options.ts'
import { clientDocumentLimitChecks } from '../../../lib/clients/documents/options.ts'
import { registrationLimitChecks } from '../../../lib/endpoints/registration/rules.ts'
import { breakReportChecks } from '../../../lib/events/break-report.ts'
import { errorHandlerChecks } from '../../../lib/http/error-handler.ts'
import { guardedFetchChecks } from '../../../lib/outbound/guarded-fetch.ts'
import { protectedResourceMetadataChecks } from '../../../lib/protected-resource/metadata.ts'
import { requireAccessTokenChecks } from '../../../lib/protected-resource/options.ts'
import { keptAuthenticationsChecks } from '../../../lib/replay/kept.ts'
import { storedKeysChecks } from '../../../lib/signing-keys/stored-keys.ts'
import { memoryStoreChecks } from '../../../lib/stores/memory.ts'
import { postgresStoreChecks } from '../../../lib/stores/postgres.ts'
import { redisStoreChecks } from '../../../lib/stores/redis.ts'
import { sqliteStoreChecks } from '../../../lib/stores/sqlite.ts'
import { attestJwtClientAuthDpopChecks } from '../../../lib/strategies/attest-jwt-client-auth-dpop.ts'
import { strategyChecks } from '../../../lib/strategies/attempt.ts'
import { builtInStrategiesChecks } from '../../../lib/strategies/built-in-options.ts'
import { clientSecretBasicChecks } from '../../../lib/strategies/client-secret-basic.ts'
import { clientSecretPostChecks } from '../../../lib/strategies/client-secret-post.ts'
import { jwtStrategyChecks } from '../../../lib/strategies/jwt-strategy.ts'
import { selfSignedOptionChecks } from '../../../lib/strategies/self-signed-tls-client-auth.ts'
import { judgingChecks, tokenRouterChecks } from '../../../lib/token-endpoint/options.ts'
import { trustDomainChecks, workloadIssuerChecks } from '../../../lib/assertions/workloads/options.ts'
import { federatedJwtChecks } from '../../../lib/strategies/federated-jwt.ts'
import { workloadStrategyChecks } from '../../../lib/strategies/workload-strategy.ts'
import { jwtBearerChecks } from '../../../lib/token-issuers/jwt-bearer.ts'
import { tokenExchangeChecks } from '../../../lib/token-issuers/token-exchange.ts'
import { resourceChecks } from '../../../lib/tokens/resource.ts'

/** One function, class or option that takes options. */
export interface OptionsTaker {
  readonly group: string
  readonly heading: string
  /** The interface of its options. */
  readonly options: string
  /** True: without those it extends, which another section has. */
  readonly own?: boolean
  /** The checks they are held against. */
  readonly table?: Readonly<Record<string, unknown>>
  readonly note?: string
}

const inGroup = (group: string, list: readonly Omit<OptionsTaker, 'group'>[]): readonly OptionsTaker[] =>
  list.map(taker => ({ group, ...taker }))

export const takers: readonly OptionsTaker[] = [
  ...inGroup('Servers', [
    {
      heading: '`authorizationServer()`',
      options: 'AuthorizationServerOptions',
      own: true,
      table: authorizationServerChecks,
      note: 'It takes what [`tokenRouter()`](#tokenrouter) takes too, but for `tokenEndpoints`.'
    },
    { heading: '`interaction`', options: 'Interaction' },
    { heading: '`deviceAuthorization`', options: 'DeviceAuthorizationOptions', table: deviceAuthorizationChecks },
    {
      heading: '`backchannelAuthentication`',
      options: 'BackchannelAuthenticationOptions',
      table: backchannelAuthenticationChecks
    },
    { heading: '`logout`', options: 'LogoutOptions', table: logoutChecks },
    { heading: '`credentials`', options: 'CredentialsOptions', table: credentialsChecks },
    { heading: '`registration`', options: 'RegistrationOptions', table: registrationChecks },
    { heading: '`registration.limits`', options: 'RegistrationLimits', table: registrationLimitChecks },
    { heading: '`registration.softwareStatements`', options: 'SoftwareStatementOptions', table: softwareStatementChecks },
    { heading: '`tokenRouter()`', options: 'TokenRouterOptions', table: tokenRouterChecks },
    { heading: '`resources[]`', options: 'ResourceOptions', table: resourceChecks },
    { heading: '`assertionDials`', options: 'AssertionDials', table: dialChecks },
    { heading: '`guessProtection`', options: 'GuessProtectionOptions', table: guessProtectionChecks },
    { heading: '`clientDocuments`', options: 'ClientDocumentsOptions' },
    { heading: '`clientDocuments.limits`', options: 'ClientDocumentLimits', table: clientDocumentLimitChecks },
    { heading: '`attestation`', options: 'AttestationOptions', table: attestationOptionChecks },
    { heading: '`tenants()`', options: 'TenantsOptions', table: tenantsChecks },
    {
      heading: 'a tenant',
      options: 'TenantOptions',
      own: true,
      note: 'It takes what [`authorizationServer()`](#authorizationserver) takes too, but for `issuer` and `paths`.'
    }
  ]),
  ...inGroup('What a server returns', [
    { heading: '`requireAccessToken()`', options: 'RequireAccessTokenOptions', table: requireAccessTokenChecks },
    {
      heading: '`protectedResourceMetadata()`',
      options: 'ProtectedResourceMetadataOptions',
      table: protectedResourceMetadataChecks
    },
    { heading: '`issueCode()` of a token router', options: 'CodeRequest' }
  ]),
  ...inGroup('Client authentication', [
    {
      heading: '`shadow`',
      options: 'ShadowOptions',
      table: shadowChecks(judgingChecks),
      note: 'See [shadow.md](shadow.md). `options` of a server takes `clients`, `strategies`, `assertionAudience`, `assertionAlgorithms`, `assertionDials`, `basicEncoding`, `certificateSource`, `certificateMethods`, `fetchJson`, `workloads`, `attestation` and `profile`; that of `authenticateClient()` takes `clients`, `strategies` and `certificateSource`.'
    },
    { heading: '`keptAuthentications()`', options: 'KeptAuthenticationsOptions', table: keptAuthenticationsChecks },
    { heading: '`authenticateClient()`', options: 'AuthenticateClientOptions', table: authenticateClientChecks },
    { heading: '`builtInStrategies()`', options: 'BuiltInStrategiesOptions', table: builtInStrategiesChecks },
    { heading: 'every strategy', options: 'StrategyOptions', table: strategyChecks },
    { heading: '`ClientSecretBasicStrategy`', options: 'ClientSecretBasicOptions', own: true, table: clientSecretBasicChecks },
    { heading: '`ClientSecretPostStrategy`', options: 'ClientSecretPostOptions', own: true, table: clientSecretPostChecks },
    { heading: '`PrivateKeyJwtStrategy` and `ClientSecretJwtStrategy`', options: 'JwtStrategyOptions', table: jwtStrategyChecks },
    {
      heading: '`SelfSignedTlsClientAuthStrategy`',
      options: 'SelfSignedTlsClientAuthOptions',
      own: true,
      table: selfSignedOptionChecks
    },
    { heading: '`FederatedJwtStrategy`', options: 'FederatedJwtOptions', table: federatedJwtChecks },
    {
      heading: '`SpiffeJwtStrategy` and `SpiffeX509Strategy`',
      options: 'WorkloadStrategyOptions',
      table: workloadStrategyChecks
    },
    { heading: '`workloads`', options: 'WorkloadsOptions' },
    { heading: '`workloads.issuers[]`', options: 'WorkloadIssuer', table: workloadIssuerChecks },
    { heading: '`workloads.trustDomains[]`', options: 'TrustDomain', table: trustDomainChecks },
    { heading: '`clientAttestation()`', options: 'ClientAttestationOptions', table: clientAttestationChecks },
    {
      heading: '`AttestJwtClientAuthDpopStrategy`',
      options: 'AttestJwtClientAuthDpopOptions',
      table: attestJwtClientAuthDpopChecks
    },
    { heading: '`clientKeys()`', options: 'ClientKeysOptions', table: clientKeysChecks },
    { heading: '`credentialSets()`', options: 'CredentialSetsOptions', table: credentialSetsChecks },
    { heading: '`storedClients()`', options: 'StoredClientsOptions' },
    {
      heading: '`guardedFetch()`, `guardedPost()` and `guardedDownload()`',
      options: 'GuardedFetchOptions',
      table: guardedFetchChecks
    },
    { heading: '`tlsCertificate()`', options: 'TlsCertificateOptions', table: tlsCertificateChecks },
    { heading: '`proxyCertificate()`', options: 'ProxyCertificateOptions', table: proxyCertificateChecks },
    { heading: '`createServer()`', options: 'CreateServerOptions' }
  ]),
  ...inGroup('Grants', [
    { heading: '`jwtBearer()`', options: 'JwtBearerOptions', table: jwtBearerChecks },
    { heading: '`trustedIssuers[]`', options: 'TrustedIssuer', table: trustedIssuerChecks },
    { heading: '`tokenExchange()`', options: 'TokenExchangeOptions', table: tokenExchangeChecks }
  ]),
  ...inGroup('Keys, stores, events and errors', [
    { heading: '`storedKeys()`', options: 'StoredKeysOptions', table: storedKeysChecks },
    { heading: '`memoryStore()`', options: 'MemoryStoreOptions', table: memoryStoreChecks },
    { heading: '`sqliteStore()`', options: 'SqliteStoreOptions', table: sqliteStoreChecks },
    { heading: '`postgresStore()`', options: 'PostgresStoreOptions', table: postgresStoreChecks },
    { heading: '`redisStore()`', options: 'RedisStoreOptions', table: redisStoreChecks },
    { heading: '`breakReport()`', options: 'BreakReportOptions', table: breakReportChecks },
    { heading: '`oauthErrorHandler()`', options: 'OAuthErrorHandlerOptions', table: errorHandlerChecks }
  ]),
  ...inGroup('Model Context Protocol', [
    {
      heading: '`mcpAuthorization()`',
      options: 'McpAuthorizationOptions',
      own: true,
      note: 'It takes what `mcpProtection()` and [`authorizationServer()`](#authorizationserver) take too.'
    },
    { heading: '`mcpProtection()`', options: 'McpProtectionOptions' }
  ])
]
