/**
 * Every option of every function that takes some, each given what it cannot be, is refused by its name: as the tables of checks have them, so
 * that no option is forgotten here.
 */
import { expect, it } from '@jest/globals'
import * as clientele from '../lib/index.ts'
import {
  authenticateClient,
  authorizationServer,
  breakReport,
  builtInStrategies,
  ciba,
  clientCredentials,
  clientKeys,
  ClientSecretBasicStrategy,
  ClientSecretJwtStrategy,
  ClientSecretPostStrategy,
  credentialSets,
  deviceCode,
  generateKeys,
  guardedDownload,
  guardedFetch,
  guardedPost,
  guessProtection,
  jwtBearer,
  memoryStore,
  NoneStrategy,
  oauthErrorHandler,
  PrivateKeyJwtStrategy,
  proxyCertificate,
  SelfSignedTlsClientAuthStrategy,
  storedClients,
  storedKeys,
  tenants,
  TlsClientAuthStrategy,
  tlsCertificate,
  tokenExchange,
  tokenRouter
} from '../lib/index.ts'
import { mcpProtection } from '../lib/mcp/mcp.ts'
import { upstream } from '../lib/sign-in/upstream.ts'
import { eachRefuses, type Taker } from './support/checks/wrong-options.ts'
import { dialChecks } from '../lib/assertions/assertion-dials.ts'
import { softwareStatementChecks } from '../lib/assertions/software-statement.ts'
import { trustedIssuerChecks } from '../lib/assertions/trust-rule.ts'
import { authenticateClientChecks } from '../lib/authentication/authenticate-client.ts'
import { endpointAuthMethodsChecks } from '../lib/authentication/per-endpoint.ts'
import { shadowChecks } from '../lib/authentication/shadow/options.ts'
import { authorizationServerChecks } from '../lib/authorization-server/options.ts'
import { tenantsChecks } from '../lib/authorization-server/tenants.ts'
import { proxyCertificateChecks } from '../lib/certificates/proxy/options.ts'
import { tlsCertificateChecks } from '../lib/certificates/tls-certificate.ts'
import { clientKeysChecks } from '../lib/client-keys/client-keys.ts'
import { credentialSetsChecks } from '../lib/credentials/credential-sets.ts'
import { guessProtectionChecks, guessProtectionSetupChecks } from '../lib/credentials/guesses/guess-protection.ts'
import { storedClientsChecks } from '../lib/credentials/stored-clients.ts'
import { credentialsChecks } from '../lib/credentials/server-credentials.ts'
import { backchannelAuthenticationChecks } from '../lib/endpoints/backchannel-authentication/options.ts'
import { deviceAuthorizationChecks } from '../lib/endpoints/device-authorization/options.ts'
import { registrationChecks } from '../lib/endpoints/registration/options.ts'
import { clientDocumentLimitChecks } from '../lib/clients/documents/options.ts'
import { registrationLimitChecks } from '../lib/endpoints/registration/rules.ts'
import { breakReportChecks } from '../lib/events/break-report.ts'
import { endpointPathsChecks } from '../lib/http/endpoint-paths.ts'
import { errorHandlerChecks } from '../lib/http/error-handler.ts'
import { lintServerChecks } from '../lib/lint/options.ts'
import { lintServer } from '../lib/lint/lint.ts'
import { guardedFetchChecks } from '../lib/outbound/guarded-fetch.ts'
import { protectedResourceMetadataChecks } from '../lib/protected-resource/metadata.ts'
import { requireAccessTokenChecks } from '../lib/protected-resource/options.ts'
import { mcpProtectionChecks } from '../lib/mcp/protection.ts'
import { upstreamChecks } from '../lib/sign-in/options.ts'
import { signInHostChecks } from '../lib/sign-in/host.ts'
import { keptAuthentications, keptAuthenticationsChecks } from '../lib/replay/kept.ts'
import { storedKeysChecks } from '../lib/signing-keys/stored-keys.ts'
import { memoryStoreChecks } from '../lib/stores/memory.ts'
import { postgresStore, postgresStoreChecks } from '../lib/stores/postgres.ts'
import { redisStore, redisStoreChecks } from '../lib/stores/redis.ts'
import { sqliteStore, sqliteStoreChecks } from '../lib/stores/sqlite.ts'
import { strategyChecks } from '../lib/strategies/attempt.ts'
import { clientSecretBasicChecks } from '../lib/strategies/client-secret-basic.ts'
import { clientSecretPostChecks } from '../lib/strategies/client-secret-post.ts'
import { builtInStrategiesChecks } from '../lib/strategies/built-in-options.ts'
import { jwtStrategyChecks } from '../lib/strategies/jwt-strategy.ts'
import { selfSignedOptionChecks } from '../lib/strategies/self-signed-tls-client-auth.ts'
import { judgingChecks, tokenRouterChecks } from '../lib/token-endpoint/options.ts'
import { jwtBearerChecks } from '../lib/token-issuers/jwt-bearer.ts'
import { tokenExchangeChecks } from '../lib/token-issuers/token-exchange.ts'
import { resourceChecks } from '../lib/tokens/resource.ts'
import { attestationTakers } from './support/checks/attestation-options.ts'
import { presetTakers, workloadTakers } from './support/checks/workload-options.ts'

const issuer = 'https://as.example.com'
const store = memoryStore()
const clients = [
  { client_id: 'app', client_secret: 'a secret of 32 characters, or more', redirect_uris: ['https://app.example/cb'] }
]
const keys = await generateKeys(['RS256'])
const interaction = { account: () => undefined, consented: () => true, prompt: () => undefined }
const token = { issuer, store, clients, keys }
const tokenIssuers = [clientCredentials(), deviceCode(), ciba()]
const devices = { tokenIssuers, deviceAuthorization: { verificationUri: 'https://as.example.com/device' } }
const whole = { ...token, ...devices, interaction, backchannelAuthentication: { identify: () => undefined } }
const server = authorizationServer({ ...token, interaction })

const trusted = { issuer: 'https://idp.example', jwks_uri: 'https://idp.example/jwks' }
const provider = { issuer: 'https://idp.example', client_id: 'here', client_secret: 'secret' }
const proxy = { format: 'rfc9440', trustedProxies: ['127.0.0.1'] }

const takers: Readonly<Record<string, Taker>> = {
  authorizationServer: { good: whole, table: authorizationServerChecks, give: authorizationServer },
  tokenRouter: { good: token, table: tokenRouterChecks, give: tokenRouter },
  'tokenRouter, assertionDials': { good: token, table: dialChecks, at: 'assertionDials', give: tokenRouter },
  'tokenRouter, resources': {
    good: token,
    table: resourceChecks,
    at: 'resources[0]',
    inner: { resource: issuer },
    give: tokenRouter
  },
  'tokenRouter, shadow': {
    good: token,
    table: shadowChecks(judgingChecks),
    at: 'shadow',
    inner: { options: { basicEncoding: 'enforce' } },
    give: tokenRouter
  },
  'tokenRouter, shadow.options': {
    good: token,
    table: judgingChecks,
    at: 'shadow.options',
    inner: { basicEncoding: 'enforce' },
    give: tokenRouter
  },
  'tokenRouter, guessProtection': { good: token, table: guessProtectionChecks, at: 'guessProtection', give: tokenRouter },
  'its credentials': { good: whole, table: credentialsChecks, at: 'credentials', give: authorizationServer },
  'its endpointAuthMethods': {
    good: whole,
    table: endpointAuthMethodsChecks,
    at: 'endpointAuthMethods',
    give: authorizationServer
  },
  'its paths': { good: whole, table: endpointPathsChecks, at: 'paths', give: authorizationServer },
  'its deviceAuthorization': {
    good: whole,
    table: deviceAuthorizationChecks,
    at: 'deviceAuthorization',
    inner: devices.deviceAuthorization,
    give: authorizationServer
  },
  'its backchannelAuthentication': {
    good: whole,
    table: backchannelAuthenticationChecks,
    at: 'backchannelAuthentication',
    inner: whole.backchannelAuthentication,
    give: authorizationServer
  },
  'its registration': {
    good: whole,
    table: registrationChecks,
    at: 'registration',
    inner: { access: 'token' },
    give: authorizationServer
  },
  'its clientDocuments.limits': {
    good: whole,
    table: clientDocumentLimitChecks,
    at: 'clientDocuments.limits',
    give: authorizationServer
  },
  'its registration.limits': {
    good: whole,
    table: registrationLimitChecks,
    at: 'registration.limits',
    give: authorizationServer
  },
  'its software statements': {
    good: whole,
    table: softwareStatementChecks,
    at: 'registration.softwareStatements',
    inner: { trustedIssuers: [] },
    give: authorizationServer
  },
  requireAccessToken: { good: {}, table: requireAccessTokenChecks, give: given => server.requireAccessToken(given) },
  protectedResourceMetadata: {
    good: { resource: issuer },
    table: protectedResourceMetadataChecks,
    give: given => server.protectedResourceMetadata(given)
  },
  mcpProtection: {
    good: { resource: issuer, required: ['api:read'] },
    table: mcpProtectionChecks,
    give: given => mcpProtection(server, given)
  },
  upstream: { good: provider, table: upstreamChecks, give: upstream },
  'upstream, for a server': {
    good: { issuer, store, keys },
    table: signInHostChecks,
    give: given => upstream(provider).attach(given)
  },
  tenants: { good: { issuer, resolve: () => undefined }, table: tenantsChecks, give: tenants },
  keptAuthentications: { good: { store, issuer }, table: keptAuthenticationsChecks, give: keptAuthentications },
  authenticateClient: {
    good: { clients, strategies: builtInStrategies({ clients, issuer, store }) },
    table: authenticateClientChecks,
    give: authenticateClient
  },
  builtInStrategies: { good: { clients, issuer, store }, table: builtInStrategiesChecks, give: builtInStrategies },
  ClientSecretBasicStrategy: { good: { clients }, table: clientSecretBasicChecks, give: made(ClientSecretBasicStrategy) },
  ClientSecretPostStrategy: { good: { clients }, table: clientSecretPostChecks, give: made(ClientSecretPostStrategy) },
  ClientSecretJwtStrategy: { good: { clients, issuer, store }, table: jwtStrategyChecks, give: made(ClientSecretJwtStrategy) },
  PrivateKeyJwtStrategy: { good: { clients, issuer, store }, table: jwtStrategyChecks, give: made(PrivateKeyJwtStrategy) },
  TlsClientAuthStrategy: { good: { clients }, table: strategyChecks, give: made(TlsClientAuthStrategy) },
  SelfSignedTlsClientAuthStrategy: {
    good: { clients },
    table: selfSignedOptionChecks,
    give: made(SelfSignedTlsClientAuthStrategy)
  },
  ...attestationTakers(token),
  ...workloadTakers(token),
  ...presetTakers,
  NoneStrategy: { good: { clients }, table: strategyChecks, give: made(NoneStrategy) },
  jwtBearer: { good: { trustedIssuers: [trusted], subject: () => 'a' }, table: jwtBearerChecks, give: jwtBearer },
  'a trusted issuer': {
    good: { subject: () => 'a' },
    table: trustedIssuerChecks,
    at: 'trustedIssuers[0]',
    inner: trusted,
    give: jwtBearer
  },
  tokenExchange: { good: { policy: () => undefined }, table: tokenExchangeChecks, give: tokenExchange },
  clientKeys: { good: {}, table: clientKeysChecks, give: clientKeys },
  guardedFetch: { good: {}, table: guardedFetchChecks, give: guardedFetch },
  guardedPost: { good: {}, table: guardedFetchChecks, give: guardedPost },
  guardedDownload: { good: {}, table: guardedFetchChecks, give: guardedDownload },
  guessProtection: { good: { store }, table: guessProtectionSetupChecks, give: guessProtection },
  storedClients: { good: token, table: storedClientsChecks, give: storedClients },
  credentialSets: { good: token, table: credentialSetsChecks, give: credentialSets },
  storedKeys: { good: { store, issuer }, table: storedKeysChecks, give: storedKeys },
  breakReport: { good: {}, table: breakReportChecks, give: breakReport },
  lintServer: { good: {}, table: lintServerChecks, give: options => lintServer('http://127.0.0.1:9', options) },
  oauthErrorHandler: { good: {}, table: errorHandlerChecks, give: oauthErrorHandler },
  proxyCertificate: { good: proxy, table: proxyCertificateChecks, give: proxyCertificate },
  tlsCertificate: { good: { ca: 'PEM' }, table: tlsCertificateChecks, give: tlsCertificate },
  memoryStore: { good: {}, table: memoryStoreChecks, give: memoryStore },
  sqliteStore: { good: { path: ':memory:' }, table: sqliteStoreChecks, give: sqliteStore },
  redisStore: { good: { url: 'redis://localhost' }, table: redisStoreChecks, give: redisStore },
  postgresStore: { good: { url: 'postgres://localhost/x' }, table: postgresStoreChecks, give: postgresStore }
}

function made(Strategy: new (options: never) => object): (options: never) => object {
  return options => new Strategy(options)
}

eachRefuses(takers)

it('is every function and class of the main entry that takes options', () => {
  const others = new Set([
    // of errors their own options, which nobody configures a server with
    ...Object.keys(clientele).filter(name => name.endsWith('Error')),
    ...[
      'authorizationCode',
      'certificateHeaders',
      'checkNames',
      'checkProfile',
      'checkSections',
      'ciba',
      'clientCredentials',
      'clientDocument'
    ],
    ...['clientOrigin', 'createServer', 'deviceCode', 'directTls', 'generateKeys', 'hashSecret', 'isPublic', 'MethodStrategy'],
    ...['refreshToken', 'registeredClients', 'requestedResources', 'requestedScope', 'requiredParameter', 'scopedStore'],
    ...['signingAlgorithms', 'storeFor', 'traceIdOf', 'unknownMembers', 'verifySecret']
  ])
  expect(Object.keys(clientele).filter(name => !others.has(name) && takers[name] === undefined)).toEqual([])
})
