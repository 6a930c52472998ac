/**
 * The tokens that platforms publish as examples of theirs, to be signed with a key of the spec: header and claims are theirs, but for the audience and the times.
 * Kubernetes is not here: its own code made and signed kubernetes/tokens.ts.
 */
import { keyPair } from '../keys/made-keys.ts'
import { CompactSign, exportJWK, type JWK } from 'jose'
import type { FetchJson } from 'clientele'

export interface Platform {
  readonly issuer: string
  readonly claims: Readonly<Record<string, unknown>>
}

/** https://docs.github.com/en/actions/concepts/security/openid-connect, "Understanding the OIDC token". */
const githubToken: Platform = {
  issuer: 'https://token.actions.githubusercontent.com',
  claims: {
    jti: 'example-id',
    sub: 'repo:octo-org/octo-repo:environment:prod',
    environment: 'prod',
    ref: 'refs/heads/main',
    sha: 'example-sha',
    repository: 'octo-org/octo-repo',
    repository_owner: 'octo-org',
    actor_id: '12',
    repository_visibility: 'private',
    repository_id: '74',
    repository_owner_id: '65',
    run_id: 'example-run-id',
    run_number: '10',
    run_attempt: '2',
    runner_environment: 'github-hosted',
    actor: 'octocat',
    workflow: 'example-workflow',
    head_ref: '',
    base_ref: '',
    event_name: 'workflow_dispatch',
    ref_type: 'branch',
    job_workflow_ref: 'octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main'
  }
}

/** https://docs.gitlab.com/ci/secrets/id_token_authentication, "Token payload"; on a protected branch, pushed to. */
const gitlabToken: Platform = {
  issuer: 'https://gitlab.com',
  claims: {
    namespace_id: '72',
    namespace_path: 'my-group',
    project_id: '22',
    project_path: 'my-group/my-project',
    user_id: '42',
    user_login: 'sample-user',
    user_email: 'sample-user@example.com',
    pipeline_id: '1212',
    pipeline_source: 'push',
    job_id: '1212',
    ref: 'main',
    ref_type: 'branch',
    ref_path: 'refs/heads/main',
    ref_protected: 'true',
    groups_direct: ['mygroup/mysubgroup', 'myothergroup/myothersubgroup'],
    environment: 'production',
    environment_protected: 'false',
    deployment_tier: 'production',
    environment_action: 'start',
    runner_id: 1,
    runner_environment: 'self-hosted',
    sha: '714a629c0b401fdce83e847fc9589983fc6f46bc',
    project_visibility: 'public',
    ci_config_ref_uri: 'gitlab.com/my-group/my-project//.gitlab-ci.yml@refs/heads/main',
    ci_config_sha: '714a629c0b401fdce83e847fc9589983fc6f46bc',
    jti: '235b3a54-b797-45c7-ae9a-f72d7bc6ef5b',
    sub: 'project_path:my-group/my-project:ref_type:branch:ref:main'
  }
}

/** https://cloud.google.com/compute/docs/instances/verifying-instance-identity, "Token contents". */
const googleToken: Platform = {
  issuer: 'https://accounts.google.com',
  claims: {
    azp: '104819472310987654321',
    sub: '104819472310987654321',
    email: 'deployer@acme.iam.gserviceaccount.com',
    email_verified: true,
    google: {
      compute_engine: {
        project_id: 'my-project',
        project_number: 739419398126,
        zone: 'us-west1-a',
        instance_id: '152986662232938449',
        instance_name: 'example',
        instance_creation_timestamp: 1496952205
      }
    }
  }
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_token_claims.html. */
const awsToken: Platform = {
  issuer: 'https://abc123-def456-ghi789-jkl012.tokens.sts.global.api.aws',
  claims: {
    sub: 'arn:aws:iam::123456789012:role/DataProcessingRole',
    jti: 'xyz123-def456-ghi789-jkl012',
    'https://sts.amazonaws.com/': {
      aws_account: '123456789012',
      source_region: 'us-east-1',
      org_id: 'o-abc1234567',
      ou_path: 'o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/ou-ab12-22222222/',
      principal_tags: { environment: 'production', team: 'data-engineering', 'cost-center': 'engineering' },
      lambda_source_function_arn: 'arn:aws:lambda:us-east-1:123456789012:function:process-data',
      request_tags: { 'job-id': 'job-2024-001', priority: 'high', 'data-classification': 'sensitive' }
    }
  }
}

/** https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference; of version 1, for an application alone. */
const azureToken: Platform = {
  issuer: 'https://sts.windows.net/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/',
  claims: {
    aio: 'E2NgYEjIbsz…',
    appid: '6e74172b-be56-4843-9ff4-e66a39bb12e3',
    appidacr: '2',
    idp: 'https://sts.windows.net/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/',
    oid: '5f6c1d0e-0a4b-4c6e-9a53-0c2b8f0b7f11',
    sub: '5f6c1d0e-0a4b-4c6e-9a53-0c2b8f0b7f11',
    tid: '8eaef023-2b34-4da1-9baa-8bc8c9d6a490',
    uti: 'x1xXxXxXxXxXxXxXxXxX',
    ver: '1.0'
  }
}

export const platforms = { githubToken, gitlabToken, googleToken, awsToken, azureToken }

const kid = 'example-key-id'
const { privateKey, publicKey } = await keyPair('RS256')
const jwk: JWK = { ...(await exportJWK(publicKey)), kid, use: 'sig', alg: 'RS256' }

/** The platform's token for `aud`, good for five minutes, changed as given; undefined leaves a claim out. */
export function tokenOf(
  { issuer, claims }: Platform,
  aud: unknown,
  change: Readonly<Record<string, unknown>> = {}
): Promise<string> {
  const iat = Math.floor(Date.now() / 1000)
  const payload = { iss: issuer, ...claims, aud, iat, nbf: iat - 5, exp: iat + 300, ...change }
  return new CompactSign(Buffer.from(JSON.stringify(payload)))
    .setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' })
    .sign(privateKey)
}

/** Answers in the place of every platform: discovery documents, and their keys. */
export const fetchFromPlatforms: FetchJson = url => {
  const wellKnown = '/.well-known/openid-configuration'
  if (!url.endsWith(wellKnown)) return Promise.resolve({ json: { keys: [jwk] } })
  const issuer = url.slice(0, -wellKnown.length)
  return Promise.resolve({ json: { issuer, jwks_uri: `${issuer}/jwks` } })
}
