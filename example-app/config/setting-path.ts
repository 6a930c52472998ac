/** The library's options by the names they have in the configuration file. */
const settingNames: Readonly<Record<string, string>> = {
  trustedIssuers: 'trusted_issuers',
  tokenIssuers: 'policy.grant_types',
  'registration.access': 'policy.registration',
  'registration.initialAccessTokens': 'policy.initial_access_token',
  'registration.grantTypes': 'policy.registration_grant_types',
  'registration.schemes': 'policy.registration_schemes',
  'workloads.issuers': 'workload_issuers',
  'workloads.trustDomains': 'trust_domains',
  attestation: 'attesters',
  'attestation.attesters': 'attesters',
  'attestation.challenge': 'policy.attestation_challenge',
  secretHashes: 'secret_hashes',
  refreshTokenExpiration: 'policy.refresh_token_expiration',
  clientDocuments: 'client_documents',
  'clientDocuments.redirectUris': 'client_documents.redirect_uris',
  profile: 'policy.profile',
  defaultResource: 'policy.default_resource',
  requireDpopNonce: 'policy.dpop_nonce',
  jsonBody: 'policy.json_body',
  requirePkce: 'policy.require_pkce',
  assertionAudience: 'policy.assertion_audience',
  accessTokenTtl: 'policy.access_token_ttl',
  authorizationCodeTtl: 'policy.authorization_code_ttl',
  refreshTokenTtl: 'policy.refresh_token_ttl',
  refreshTokenRotation: 'policy.refresh_token_rotation',
  refreshRetryWindow: 'policy.refresh_retry_window',
  guessProtection: 'policy.failure_budget'
}

/** The same, of the options of a resource, an attester, a workload issuer or a trust domain. */
const resourceSettingNames: Readonly<Record<string, string>> = {
  accessTokenFormat: 'access_token_format',
  signingAlgorithm: 'access_token_signing_alg',
  introspectionClients: 'introspection_clients',
  trustAnchors: 'trust_anchors',
  trustDomain: 'trust_domain',
  bundleEndpoint: 'bundle_endpoint',
  maxLifetime: 'max_lifetime',
  replay: 'use'
}

/** The path of an option of the library's, as the configuration file has it. */
export function settingPath(key: string): string {
  const [option = ''] = Object.keys(settingNames)
    .filter(name => key.startsWith(name) && /^(?:$|[.[])/.test(key.slice(name.length)))
    .sort((one, other) => other.length - one.length)
  const named = option === '' ? key : `${settingNames[option] ?? ''}${key.slice(option.length)}`
  return named.replace(
    /(?<=^(?:resources|attesters|workload_issuers|trust_domains)\[\d+\]\.)\w+/,
    name => resourceSettingNames[name] ?? name
  )
}
