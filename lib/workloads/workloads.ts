/**
 * `clientele/workloads`: clients that prove themselves with what their platform signs, platform by platform. Each
 * function builds one of a client's `federated_credentials`, and its `issuer` the settings for `workloads.issuers`;
 * nothing is asked of anybody. Each pins what nobody can register again.
 */
export { awsRole, type AwsRole, type AwsRoleOptions } from './aws-role.ts'
export { azureManagedIdentity, type AzureManagedIdentity, type AzureManagedIdentityOptions } from './azure-managed-identity.ts'
export { githubActions, type GithubActions, type GithubActionsOptions } from './github-actions.ts'
export { gitlabCi, type GitlabCi, type GitlabCiOptions } from './gitlab-ci.ts'
export { googleCloud, type GoogleCloud, type GoogleCloudOptions } from './google-cloud.ts'
export { kubernetes, type Kubernetes, type KubernetesOptions } from './kubernetes.ts'
export { type PresetOptions } from './preset.ts'
export { spiffe, type Spiffe, type SpiffeOptions, type SpiffeTrustDomainOptions } from './spiffe.ts'
