/** docs/options.md is what the source says. `npm run docs:options` writes it anew. */
import { expect, it } from '@jest/globals'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { optionInterfaces, optionsReference } from './support/docs/options-reference.ts'
import { takers } from './support/docs/options-takers.ts'

const path = fileURLToPath(new URL('../docs/options.md', import.meta.url))

it('is docs/options.md', async () => {
  const reference = await format(optionsReference(), { ...(await resolveConfig(path)), filepath: path })
  if (process.env['DOCS_OPTIONS'] === 'write') writeFileSync(path, reference)
  expect(readFileSync(path, 'utf8')).toBe(reference)
})

it('has every public interface of options', () => {
  // of the library's own parts, and bases that others extend
  const inner = [
    ...['ChainVerificationOptions', 'ChainOptions', 'RevocationOptions', 'SweepingOptions', 'CachedRecordsOptions'],
    ...['GuessCounterOptions', 'SecretKeeperOptions', 'CredentialRecordsOptions', 'NetworkBudgetOptions', 'ClientRequestOptions'],
    ...[
      'DevelopmentErrorOptions',
      'ReadOptions',
      'AssertionOptions',
      'ChallengeOptions',
      'EventSourceOptions',
      'ProfiledOptions',
      'SecretHashOptions'
    ],
    ...['TokenOptions', 'TrustedIssuersOptions', 'RemoteKeySetOptions', 'OAuthErrorOptions'],
    // of functions that are called while a server runs
    ...['RotateSecretOptions', 'CredentialOptions', 'RevokeCredentialOptions'],
    ...['EndpointAuthenticationOptions', 'AttestationPolicyOptions', 'AttestationStrategyOptions'],
    // of `clientele/client-auth`, `clientele/sign-in` and `clientele/lint`, which have documents of their own
    // of `clientele/workloads` and `clientele/testing/attacks`, which have too
    ...['AwsRoleOptions', 'AzureManagedIdentityOptions', 'GithubActionsOptions', 'GitlabCiOptions', 'GoogleCloudOptions'],
    ...['KubernetesOptions', 'PresetOptions', 'SpiffeOptions', 'SpiffeTrustDomainOptions', 'AttackOptions'],
    // what `jwtBearer()` takes less of
    ...['WorkloadBearerOptions', 'KeptDocumentOptions', 'OpenedOptions'],
    ...[
      'WorkloadJwtOptions',
      'AttestJwtOptions',
      'UpstreamOptions',
      'LintOptions',
      'LintServerOptions',
      'LintedOptions',
      'ReplayedOptions'
    ]
  ]
  const known = new Set([...inner, ...takers.map(({ options }) => options)])
  expect(optionInterfaces.filter(name => !known.has(name))).toEqual([])
})
