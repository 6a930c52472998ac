/** The presets of clientele/workloads: the rule each writes, and the rules none of them does. */
import { describe, expect, it } from '@jest/globals'
import { awsRole, azureManagedIdentity, githubActions, gitlabCi, googleCloud, kubernetes, spiffe } from 'clientele/workloads'
import { readFederatedCredential } from '../../lib/clients/federated-credential.ts'

const repository = { repository_id: '456789', repository_owner_id: '123456' }
const insiders = ['push', 'merge_group', 'release', 'deployment', 'schedule', 'workflow_dispatch', 'repository_dispatch']
const github = { issuer: 'https://token.actions.githubusercontent.com' }
const members = ['push', 'web', 'schedule', 'api', 'trigger', 'pipeline']
const eks = 'https://oidc.eks.eu-central-1.amazonaws.com/id/A1B2'
const ci = { issuer: eks, namespace: 'ci', serviceAccount: 'deployer' }
const aws = 'https://abc123-def456-ghi789-jkl012.tokens.sts.global.api.aws'
const roleArn = 'arn:aws:iam::123456789012:role/DataProcessingRole'
const tenantId = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490'
const objectId = '5f6c1d0e-0a4b-4c6e-9a53-0c2b8f0b7f11'
const azure = { tenantId, objectId, audience: 'api://as.example' }
const uid = '14ee3fa4-a7e2-420f-9f9a-dbc4507c3798'

const rules: readonly [string, object, object][] = [
  [
    'GitHub: an environment of a repository',
    githubActions({ ...repository, environment: 'production' }),
    { ...github, claims: { ...repository, environment: 'production', event_name: insiders } }
  ],
  [
    'GitHub: numbers are written as its tokens say them',
    githubActions({ repository_id: 456789, ref: 'refs/heads/main', runner_environment: 'github-hosted' }),
    {
      ...github,
      claims: { repository_id: '456789', ref: 'refs/heads/main', event_name: insiders, runner_environment: 'github-hosted' }
    }
  ],
  [
    'GitHub: alternatives, and an event of one’s own choice',
    githubActions({ ...repository, ref: ['refs/heads/main', 'refs/tags/v1'], event_name: 'pull_request' }),
    { ...github, claims: { ...repository, ref: ['refs/heads/main', 'refs/tags/v1'], event_name: 'pull_request' } }
  ],
  [
    'GitHub: every repository of an owner, with one workflow',
    githubActions({
      repository_owner_id: 65,
      job_workflow_ref: 'octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main'
    }),
    {
      ...github,
      claims: {
        repository_owner_id: '65',
        job_workflow_ref: 'octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main',
        event_name: insiders
      }
    }
  ],
  [
    'GitHub: a subject with numbers',
    githubActions({ subject: 'repo:octocat@123456/my-repo@456789:ref:refs/heads/main' }),
    { ...github, claims: { ...repository, ref: 'refs/heads/main', event_name: insiders } }
  ],
  [
    'GitHub: a subject of names, beside the number',
    githubActions({ subject: 'repo:octocat/my-repo:environment:a%3Ab', repository_id: '456789' }),
    { ...github, claims: { repository_id: '456789', environment: 'a:b', event_name: insiders } }
  ],
  [
    'GitHub: a subject of pull requests',
    githubActions({ subject: 'repo:octocat@123456/my-repo@456789:pull_request' }),
    { ...github, claims: { ...repository, event_name: 'pull_request' } }
  ],
  [
    'GitHub: a server of one’s own',
    githubActions({ ...repository, environment: 'prod', issuer: 'https://ghe.example/_services/token' }),
    { issuer: 'https://ghe.example/_services/token', claims: { ...repository, environment: 'prod', event_name: insiders } }
  ],
  [
    'GitLab: a branch is no tag, and yes and no are texts',
    gitlabCi({ project_id: 20, ref: 'main', ref_protected: true }),
    {
      issuer: 'https://gitlab.com',
      claims: { project_id: '20', ref: 'main', ref_type: 'branch', ref_protected: 'true', pipeline_source: members }
    }
  ],
  [
    'GitLab: a subject, another instance',
    gitlabCi({
      project_id: '20',
      namespace_id: '72',
      subject: 'project_path:g/sub/p:ref_type:tag:ref:v1:rc',
      issuer: 'https://gitlab.example'
    }),
    {
      issuer: 'https://gitlab.example',
      claims: { project_id: '20', namespace_id: '72', ref: 'v1:rc', ref_type: 'tag', pipeline_source: members }
    }
  ],
  [
    'GitLab: an environment',
    gitlabCi({ project_id: '20', environment: ['staging', 'prod'], environment_protected: true, pipeline_source: 'push' }),
    {
      issuer: 'https://gitlab.com',
      claims: { project_id: '20', environment: ['staging', 'prod'], environment_protected: 'true', pipeline_source: 'push' }
    }
  ],
  [
    'Kubernetes: a service account',
    kubernetes(ci),
    {
      issuer: eks,
      subject: 'system:serviceaccount:ci:deployer',
      claims: { 'kubernetes.io': { namespace: 'ci', serviceaccount: { name: 'deployer' } } }
    }
  ],
  [
    'Kubernetes: this very account, on this node',
    kubernetes({ ...ci, serviceAccountUid: uid, claims: { 'kubernetes.io': { node: { name: 'n1' } } } }),
    {
      issuer: eks,
      subject: 'system:serviceaccount:ci:deployer',
      claims: { 'kubernetes.io': { namespace: 'ci', serviceaccount: { name: 'deployer', uid }, node: { name: 'n1' } } }
    }
  ],
  [
    'Google: a service account',
    googleCloud({ serviceAccountId: '104819472310987654321' }),
    { issuer: 'https://accounts.google.com', subject: '104819472310987654321' }
  ],
  [
    'AWS: a role, and the account it is in',
    awsRole({ issuer: aws, roleArn }),
    { issuer: aws, subject: roleArn, claims: { 'https://sts.amazonaws.com/': { aws_account: '123456789012' } } }
  ],
  [
    'AWS: what runs as the role',
    awsRole({ issuer: aws, roleArn, claims: { 'https://sts.amazonaws.com/': { principal_tags: { team: 'billing' } } } }),
    {
      issuer: aws,
      subject: roleArn,
      claims: { 'https://sts.amazonaws.com/': { aws_account: '123456789012', principal_tags: { team: 'billing' } } }
    }
  ],
  [
    'Azure: tokens of version 2',
    azureManagedIdentity({ ...azure, objectId: objectId.toUpperCase() }),
    {
      issuer: `https://login.microsoftonline.com/${tenantId}/v2.0`,
      subject: objectId,
      audience: 'api://as.example',
      claims: { tid: tenantId, oid: objectId }
    }
  ],
  [
    'Azure: tokens of version 1',
    azureManagedIdentity({ ...azure, version: 1 }),
    {
      issuer: `https://sts.windows.net/${tenantId}/`,
      subject: objectId,
      audience: 'api://as.example',
      claims: { tid: tenantId, oid: objectId }
    }
  ],
  [
    'SPIFFE: a workload whose tokens have an issuer',
    spiffe({ issuer: 'https://oidc.prod.example', spiffeId: 'spiffe://prod.example/deployer' }),
    { issuer: 'https://oidc.prod.example', subject: 'spiffe://prod.example/deployer' }
  ]
]

const common = { id: 'ci', label: 'nightly', not_before: 1, expires_at: 2, audience: 'https://as.example' }

describe('a preset', () => {
  it.each(rules)('%s', (_, made, expected) => {
    expect(made).toEqual(expected)
    const fail = (member: string, mustBe: string): never => {
      throw new Error(`${member} ${mustBe}`)
    }
    expect(readFederatedCredential(made, 'federated_credentials[0]', fail)).toEqual(made)
  })

  it.each([
    ['githubActions', githubActions({ ...repository, ref: 'refs/heads/main', ...common })],
    ['gitlabCi', gitlabCi({ project_id: 1, ref: 'main', ...common })],
    ['kubernetes', kubernetes({ ...ci, ...common })],
    ['googleCloud', googleCloud({ serviceAccountId: '104819472310987654321', ...common })],
    ['awsRole', awsRole({ issuer: aws, roleArn, ...common })],
    ['azureManagedIdentity', azureManagedIdentity({ ...azure, ...common })],
    ['spiffe', spiffe({ issuer: 'https://oidc.prod.example', spiffeId: 'spiffe://prod.example/deployer', ...common })]
  ])('%s: hands on what every credential has', (_, made) => expect(made).toMatchObject(common))

  it('has an issuer', () => {
    expect(githubActions.issuer).toEqual(github)
    expect(gitlabCi.issuer).toEqual({ issuer: 'https://gitlab.com' })
    expect(googleCloud.issuer).toEqual({ issuer: 'https://accounts.google.com' })
    expect(kubernetes.issuer(eks)).toEqual({ issuer: eks })
    const jwks = { keys: [] }
    const inside = 'https://kubernetes.default.svc.cluster.local'
    expect(kubernetes.issuer(inside, { jwks, replay: 'once' })).toEqual({ issuer: inside, jwks, replay: 'once' })
    expect(awsRole.issuer(aws)).toEqual({ issuer: aws })
    expect(azureManagedIdentity.issuer({ tenantId })).toEqual({
      issuer: `https://login.microsoftonline.com/${tenantId}/v2.0`,
      jwks_uri: `https://login.microsoftonline.com/${tenantId}/discovery/v2.0/keys`
    })
    expect(azureManagedIdentity.issuer({ tenantId, version: 1 })).toEqual({
      issuer: `https://sts.windows.net/${tenantId}/`,
      jwks_uri: `https://login.microsoftonline.com/${tenantId}/discovery/keys`
    })
  })

  it('spiffe.trustDomain takes a bundle, or where it is', () => {
    const bundle = { keys: [] }
    expect(spiffe.trustDomain('prod.example', { bundle, maxLifetime: 300 })).toEqual({
      trustDomain: 'prod.example',
      bundle,
      maxLifetime: 300
    })
    const bundleEndpoint = 'https://spire.example/bundle'
    expect(spiffe.trustDomain('prod.example', { bundle: bundleEndpoint })).toEqual({
      trustDomain: 'prod.example',
      bundleEndpoint
    })
  })
})
