/** What takes options about workloads, for the spec of every option. */
import { FederatedJwtStrategy, SpiffeJwtStrategy, SpiffeX509Strategy, tokenRouter } from '../../../lib/index.ts'
import {
  trustDomainChecks,
  workloadDialChecks,
  workloadIssuerChecks,
  workloadsTable
} from '../../../lib/assertions/workloads/options.ts'
import { federatedJwtChecks } from '../../../lib/strategies/federated-jwt.ts'
import { workloadStrategyChecks } from '../../../lib/strategies/workload-strategy.ts'
import { awsRole, awsRoleChecks } from '../../../lib/workloads/aws-role.ts'
import { azureManagedIdentity, azureManagedIdentityChecks } from '../../../lib/workloads/azure-managed-identity.ts'
import { githubActions, githubActionsChecks } from '../../../lib/workloads/github-actions.ts'
import { gitlabCi, gitlabCiChecks } from '../../../lib/workloads/gitlab-ci.ts'
import { googleCloud, googleCloudChecks } from '../../../lib/workloads/google-cloud.ts'
import { kubernetes, kubernetesChecks } from '../../../lib/workloads/kubernetes.ts'
import { spiffe, spiffeChecks } from '../../../lib/workloads/spiffe.ts'
import type { Taker } from './wrong-options.ts'

/** The presets: each names its options with its own name before them. */
const presets = {
  githubActions: {
    good: { repository_id: '1', environment: 'production' },
    table: githubActionsChecks,
    give: githubActions
  },
  kubernetes: {
    good: { issuer: 'https://cluster.example', namespace: 'ci', serviceAccount: 'deployer' },
    table: kubernetesChecks,
    give: kubernetes
  },
  gitlabCi: { good: { project_id: '1', ref: 'main' }, table: gitlabCiChecks, give: gitlabCi },
  googleCloud: { good: { serviceAccountId: '104819472310987654321' }, table: googleCloudChecks, give: googleCloud },
  awsRole: {
    good: { issuer: 'https://a1.tokens.sts.global.api.aws', roleArn: 'arn:aws:iam::123456789012:role/deployer' },
    table: awsRoleChecks,
    give: awsRole
  },
  azureManagedIdentity: {
    good: {
      tenantId: '8eaef023-0000-4000-8000-000000000000',
      objectId: '5f6c1d0e-0000-4000-8000-000000000000',
      audience: 'api://as.example.com'
    },
    table: azureManagedIdentityChecks,
    give: azureManagedIdentity
  },
  spiffe: {
    good: { issuer: 'https://oidc.prod.example', spiffeId: 'spiffe://prod.example/deployer' },
    table: spiffeChecks,
    give: spiffe
  }
}

/** As takers, each under the path it names its options by. */
export const presetTakers: Readonly<Record<string, Taker>> = Object.fromEntries(
  Object.entries(presets).map(([name, { good, table, give }]) => [
    `the preset ${name}`,
    { good: {}, table, at: name, inner: good, give: (options: Readonly<Record<string, never>>) => give(options[name] as never) }
  ])
)

/** @param token what a token router needs. */
export function workloadTakers(token: { readonly issuer: string; readonly store: object; readonly clients: readonly object[] }) {
  const { issuer, store, clients } = token
  const workloads = { issuers: [{ issuer: 'https://platform.example' }] }
  const common = { clients, issuer, workloads }
  return {
    FederatedJwtStrategy: {
      good: { ...common, store },
      table: federatedJwtChecks,
      give: (options: never) => new FederatedJwtStrategy(options)
    },
    SpiffeJwtStrategy: {
      good: common,
      table: workloadStrategyChecks,
      give: (options: never) => new SpiffeJwtStrategy(options)
    },
    SpiffeX509Strategy: {
      good: common,
      table: workloadStrategyChecks,
      give: (options: never) => new SpiffeX509Strategy(options)
    },
    'tokenRouter, workloads': { good: token, table: workloadsTable, at: 'workloads', give: tokenRouter },
    'tokenRouter, workloads.dials': { good: token, table: workloadDialChecks, at: 'workloads.dials', give: tokenRouter },
    'a workload issuer': {
      good: token,
      table: workloadIssuerChecks,
      at: 'workloads.issuers[0]',
      inner: { issuer: 'https://platform.example' },
      give: tokenRouter
    },
    'a trust domain': {
      good: token,
      table: trustDomainChecks,
      at: 'workloads.trustDomains[0]',
      inner: { trustDomain: 'prod.example', bundleEndpoint: 'https://spire.example/bundle' },
      give: tokenRouter
    }
  }
}
