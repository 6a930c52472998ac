/** The rules that no preset of clientele/workloads writes, each refused by the name of its option and with what to do instead. */
import { describe, expect, it } from '@jest/globals'
import { ConfigurationError } from 'clientele'
import { awsRole, azureManagedIdentity, githubActions, gitlabCi, googleCloud, kubernetes, spiffe } from 'clientele/workloads'

const repository = { repository_id: '456789', repository_owner_id: '123456' }
const eks = 'https://oidc.eks.eu-central-1.amazonaws.com/id/A1B2'
const ci = { issuer: eks, namespace: 'ci', serviceAccount: 'deployer' }
const aws = 'https://abc123-def456-ghi789-jkl012.tokens.sts.global.api.aws'
const roleArn = 'arn:aws:iam::123456789012:role/DataProcessingRole'
const tenantId = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490'
const objectId = '5f6c1d0e-0a4b-4c6e-9a53-0c2b8f0b7f11'
const azure = { tenantId, objectId, audience: 'api://as.example' }
const presets = { awsRole, azureManagedIdentity, githubActions, gitlabCi, googleCloud, kubernetes, spiffe }

type Wrong = readonly [preset: keyof typeof presets, option: string, given: object, says: RegExp]

const named = { repository_id: '456789', ref: 'refs/heads/main' }
const project = { project_id: '20', ref: 'main' }
const subject = 'repo:octocat@123456/my-repo@456789:ref:refs/heads/main'

const wrong: readonly Wrong[] = [
  ['githubActions', 'repository_id', { ref: 'refs/heads/main' }, /name .* registered again/],
  ['githubActions', 'repository_id', { repository_owner_id: '65', environment: 'prod' }, /registered again/],
  ['githubActions', 'repository_id', { ...named, repository_id: 'acme/app' }, /in digits/],
  ['githubActions', 'repository_id', { ...named, repository_id: 1.5 }, /in digits/],
  ['githubActions', 'subject', { subject: 'repo:octocat/my-repo:ref:refs/heads/main' }, /repository_id beside it/],
  [
    'githubActions',
    'subject',
    { subject: 'repo:octocat/my-repo:ref:refs/heads/main', repository_owner_id: 65 },
    /repository_id beside it/
  ],
  ['githubActions', 'subject', { subject: 'repo:octocat@1/my-repo:pull_request', repository_id: 1 }, /forms GitHub writes/],
  ['githubActions', 'subject', { subject: 'repo:octocat/*', repository_id: 1 }, /forms GitHub writes/],
  ['githubActions', 'subject', { subject: 'repository_owner_id:65:environment:prod', repository_id: 1 }, /forms GitHub writes/],
  ['githubActions', 'repository_id', { subject, repository_id: '1' }, /what subject says, 456789/],
  ['githubActions', 'ref', { subject, ref: 'refs/heads/dev' }, /what subject says/],
  ['githubActions', 'environment', repository, /every branch/],
  ['githubActions', 'ref', { ...repository, ref: 'main' }, /in full, such as refs\/heads\/main/],
  ['githubActions', 'ref', { ...repository, ref: [] }, /any will do/],
  ['githubActions', 'event_name', { ...named, event_name: ['push', 'pull_request_target'] }, /what strangers wrote/],
  ['githubActions', 'job_workflow_ref', { ...named, job_workflow_ref: 'deploy.yml' }, /acme\/app/],
  ['githubActions', 'runner_environment', { ...named, runner_environment: 'mine' }, /github-hosted/],
  ['githubActions', 'issuer', { ...named, issuer: 'http://ghe.example' }, /https/],
  ['githubActions', 'claims.repository_id', { ...named, claims: { repository_id: '1' } }, /other options/],
  ['githubActions', 'repositoryId', { ...named, repositoryId: '1' }, /did you mean repository_id/],
  ['gitlabCi', 'project_id', { ref: 'main' }, /path .* used again/],
  ['gitlabCi', 'project_id', { subject: 'project_path:g/p:ref_type:branch:ref:main' }, /used again/],
  ['gitlabCi', 'project_id', { project_id: 'g/p', ref: 'main' }, /in digits/],
  ['gitlabCi', 'ref', { project_id: '20' }, /every branch/],
  ['gitlabCi', 'ref', { project_id: '20', ref_protected: false }, /every branch/],
  ['gitlabCi', 'ref', { project_id: '20', ref: 'refs/heads/main' }, /such as main/],
  ['gitlabCi', 'ref', { ...project, subject: 'project_path:g/p:ref_type:branch:ref:dev' }, /what subject says, dev/],
  [
    'gitlabCi',
    'ref_type',
    { ...project, ref_type: 'tag', subject: 'project_path:g/p:ref_type:branch:ref:main' },
    /what subject says/
  ],
  ['gitlabCi', 'subject', { project_id: '20', subject: 'project_path:g/*' }, /form GitLab writes/],
  ['gitlabCi', 'ref_protected', { ...project, ref_protected: 'true' }, /true or false/],
  ['kubernetes', 'issuer', { ...ci, issuer: 'kubernetes/serviceaccount' }, /Project one with audience and expirationSeconds/],
  ['kubernetes', 'audience', { ...ci, audience: eks }, /not be the cluster's own/],
  ['kubernetes', 'audience', { ...ci, audience: 'https://kubernetes.default.svc' }, /not be the cluster's own/],
  ['kubernetes', 'audience', { ...ci, audience: 'https://kubernetes.default.svc.cluster.local' }, /not be the cluster's own/],
  ['kubernetes', 'namespace', { ...ci, namespace: '*' }, /namespace/],
  ['kubernetes', 'namespace', { ...ci, namespace: 'ci:deployer' }, /namespace/],
  ['kubernetes', 'serviceAccount', { ...ci, serviceAccount: undefined }, /service account/],
  ['kubernetes', 'serviceAccount', { ...ci, serviceAccount: 'a..b' }, /service account/],
  ['kubernetes', 'serviceAccountUid', { ...ci, serviceAccountUid: '7' }, /uid/],
  [
    'kubernetes',
    'claims.kubernetes.io.namespace',
    { ...ci, claims: { 'kubernetes.io': { namespace: 'other' } } },
    /other options/
  ],
  ['kubernetes', 'claims.kubernetes.io', { ...ci, claims: { 'kubernetes.io': 'x' } }, /other options/],
  ['googleCloud', 'serviceAccountId', { serviceAccountId: 'ci@acme.iam.gserviceaccount.com' }, /e-mail address/],
  ['googleCloud', 'serviceAccountId', { serviceAccountId: 1_048_194_723 }, /text of digits/],
  ['awsRole', 'issuer', { roleArn, issuer: 'https://sts.amazonaws.com' }, /get-outbound-web-identity-federation-info/],
  ['awsRole', 'issuer', { roleArn, issuer: 'https://sts.eu-central-1.amazonaws.com/' }, /account's own/],
  ['awsRole', 'issuer', { roleArn, issuer: 'abc123' }, /https/],
  [
    'awsRole',
    'roleArn',
    { issuer: aws, roleArn: 'arn:aws:sts::123456789012:assumed-role/DataProcessingRole/s' },
    /do not name the session/
  ],
  ['awsRole', 'roleArn', { issuer: aws, roleArn: 'arn:aws:iam::123456789012:user/alice' }, /role/],
  ['awsRole', 'roleArn', { issuer: aws, roleArn: 'arn:aws:iam::*:role/deployer' }, /role/],
  ['awsRole', 'roleArn', { issuer: aws, roleArn: 'arn:aws:iam::123456789012:role/*' }, /role/],
  ['azureManagedIdentity', 'tenantId', { ...azure, tenantId: 'common' }, /GUID/],
  ['azureManagedIdentity', 'objectId', { ...azure, objectId: undefined }, /GUID/],
  ['azureManagedIdentity', 'audience', { ...azure, audience: undefined }, /non-empty/],
  ['azureManagedIdentity', 'version', { ...azure, version: '2.0' }, /1 or 2/],
  ['spiffe', 'spiffeId', { issuer: 'https://oidc.prod.example', spiffeId: 'spiffe://prod.example' }, /of a workload/],
  ['spiffe', 'spiffeId', { issuer: 'https://oidc.prod.example', spiffeId: 'spiffe://prod.example/*' }, /of a workload/],
  ['spiffe', 'issuer', { spiffeId: 'spiffe://prod.example/deployer' }, /https/]
]

describe('a preset refuses at construction', () => {
  it.each(wrong)('%s: %s of %j', (preset, option, given, says) => {
    const make = () => presets[preset](given as never)
    expect(make).toThrow(ConfigurationError)
    expect(make).toThrow(says)
    expect(make).toThrow(
      expect.objectContaining({ key: expect.stringMatching(new RegExp(`^\\w+\\.${option.replaceAll('.', '\\.')}$`)) })
    )
  })

  it.each<[string, () => unknown, RegExp]>([
    ['a cluster nobody else can reach', () => kubernetes.issuer('https://kubernetes.default.svc.cluster.local'), /jwks/],
    ['the issuer of legacy tokens', () => kubernetes.issuer('kubernetes/serviceaccount'), /projected/],
    ['the address of AWS STS', () => awsRole.issuer('https://sts.amazonaws.com'), /account's own/],
    ['every tenant of Azure', () => azureManagedIdentity.issuer({ tenantId: 'organizations' }), /GUID/],
    [
      'a trust domain with a scheme',
      () => spiffe.trustDomain('spiffe://prod.example', { bundle: 'https://a' }),
      /without spiffe/
    ],
    ['a trust domain with a path', () => spiffe.trustDomain('prod.example/x', { bundle: 'https://a' }), /without spiffe/]
  ])('%s as an issuer', (_, make, says) => {
    expect(make).toThrow(ConfigurationError)
    expect(make).toThrow(says)
  })
})
