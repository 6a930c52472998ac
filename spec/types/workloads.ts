/** What clientele/workloads writes is what a server and its clients take, and what a rule has to have is asked for by its type. */
import type { ClientMetadata, WorkloadsOptions } from 'clientele'
import { awsRole, azureManagedIdentity, githubActions, gitlabCi, googleCloud, kubernetes, spiffe } from 'clientele/workloads'

const tenantId = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490'
const account = 'https://abc123.tokens.sts.global.api.aws'

export const workloads: WorkloadsOptions = {
  issuers: [
    githubActions.issuer,
    gitlabCi.issuer,
    googleCloud.issuer,
    kubernetes.issuer('https://cluster.example', { maxLifetime: 3600 }),
    awsRole.issuer(account),
    azureManagedIdentity.issuer({ tenantId })
  ],
  trustDomains: [spiffe.trustDomain('prod.example', { bundle: 'https://spire.example/bundle', staleLimit: 3600 })]
}

export const client: ClientMetadata = {
  client_id: 'deployer',
  token_endpoint_auth_method: 'federated_jwt',
  federated_credentials: [
    githubActions({ repository_id: 74, environment: 'production' }),
    gitlabCi({ project_id: 20, ref: 'main' }),
    kubernetes({ issuer: 'https://cluster.example', namespace: 'ci', serviceAccount: 'deployer', label: 'the cluster' })
  ]
}

// @ts-expect-error -- whose project
gitlabCi({ ref: 'main' })
// @ts-expect-error -- longer than a number
googleCloud({ serviceAccountId: 1 })
// @ts-expect-error -- for which application
azureManagedIdentity({ tenantId, objectId: tenantId })
