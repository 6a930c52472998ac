/** AWS: whatever runs as an IAM role, with a token of `sts:GetWebIdentityToken`. */
import type { WorkloadIssuer } from '../assertions/workloads/options.ts'
import type { FederatedCredential } from '../clients/federated-credential.ts'
import { readOptions, required, text, type Checks } from '../options.ts'
import { credential, isHttps, presetChecks, refusing, type PresetOptions } from './preset.ts'

/** Which role of which account. */
export interface AwsRoleOptions extends PresetOptions {
  /** The account's own issuer: `aws iam get-outbound-web-identity-federation-info`. */
  readonly issuer: string
  /** The role, such as `arn:aws:iam::123456789012:role/deployer`. */
  readonly roleArn: string
}

export const awsRoleChecks = {
  ...presetChecks,
  issuer: required(text()),
  roleArn: required(text())
} satisfies Checks<AwsRoleOptions>

const refuse = refusing('awsRole')

/** See {@link awsRole}. */
export interface AwsRole {
  /** @throws ConfigurationError naming the option that is wrong, or missing. */
  (options: AwsRoleOptions): FederatedCredential
  /**
   * An account's issuer, for `workloads.issuers`.
   *
   * @throws ConfigurationError for the address where tokens are asked for, which is nobody's issuer.
   */
  issuer(issuer: string): WorkloadIssuer
}

/**
 * The credential of a client that runs as an IAM role. The number of the account, which is nobody else's ever, is
 * wanted beside the role's name.
 *
 * @example
 * awsRole({ issuer: 'https://a1b2c3d4-….tokens.sts.global.api.aws', roleArn: 'arn:aws:iam::123456789012:role/deployer' })
 */
export const awsRole: AwsRole = Object.assign(
  (options: AwsRoleOptions): FederatedCredential => {
    const read = readOptions(options, awsRoleChecks, 'awsRole.')
    const claims = { 'https://sts.amazonaws.com/': { aws_account: accountOf(read.roleArn) } }
    return credential(read, { issuer: ofAccount(read.issuer), subject: read.roleArn, claims }, refuse)
  },
  { issuer: (issuer: string): WorkloadIssuer => ({ issuer: ofAccount(issuer) }) }
)

function ofAccount(issuer: string): string {
  if (/^https:\/\/sts(?:\.[a-z0-9-]+)?\.amazonaws\.com\/?$/.test(issuer))
    refuse(
      'issuer',
      "must be the account's own (aws iam get-outbound-web-identity-federation-info): this is where tokens are asked for"
    )
  return isHttps(issuer) ? issuer : refuse('issuer', 'must be an https URL')
}

function accountOf(roleArn: string): string {
  if (/^arn:[^:]+:sts::/.test(roleArn))
    refuse('roleArn', 'must be that of the role, arn:aws:iam::ACCOUNT:role/NAME: tokens do not name the session that assumed it')
  const [, account] = /^arn:aws[a-z-]*:iam::([0-9]{12}):role\/[\w+=,.@/-]*[\w+=,.@-]$/.exec(roleArn) ?? []
  return account ?? refuse('roleArn', 'must be that of a role, such as arn:aws:iam::123456789012:role/deployer')
}
