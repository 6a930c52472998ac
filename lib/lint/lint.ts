/**
 * The linter: rules of OAuth 2.1, of the FAPI 2.0 Security Profile and of MCP, held against options or against a
 * running server.
 *
 * @module clientele/lint
 */
import { ConfigurationError, readOptions } from '../options.ts'
import { checkProfile } from '../profiles.ts'
import { behaviourRules } from './behaviour-rules.ts'
import { clientRules } from './client-rules.ts'
import { deploymentRules } from './deployment-rules.ts'
import { byLevel, findingsOf, type Finding } from './finding.ts'
import { lintChecks, lintServerChecks, type LintOptions, type LintServerOptions } from './options.ts'
import type { LintedOptions } from './linted-options.ts'
import { metadataRules } from './metadata-rules.ts'
import { profileFix } from './rules.ts'
import { seeServer } from './seen-server.ts'
import { serverRules } from './server-rules.ts'

export { hasErrors, lintProfiles, type Finding, type FindingLevel, type LintProfile, type RuleFacts } from './finding.ts'
export type { LintOptions, LintServerOptions } from './options.ts'
export type { LintedDeployment, LintedOptions } from './linted-options.ts'
export { LookError } from './look.ts'
export { formatFindings, lintFormats, type LintFormat } from './report.ts'
export { invalidSetting, lintRules, type LintRule } from './rules.ts'
export type { ClientMetadata, ClientRegistry, ClientSource } from '../clients/client.ts'
export { checkProfile, type Profile, type ProfiledOptions, type ProfileProblem } from '../profiles.ts'

/**
 * Holds the options of `authorizationServer()` or `tokenRouter()` against the rules: what the options allow, not
 * whether they are well formed, which constructing the server says. The worst comes first. Clients that are found by a
 * function are not looked at.
 *
 * @throws ConfigurationError naming the option of the linter that is wrong.
 *
 * @example
 * for (const { level, where, message } of lintOptions(options, { profile: 'fapi2' })) console.log(`${level} ${where}: ${message}`)
 */
export function lintOptions(options: LintedOptions, how: LintOptions = {}): readonly Finding[] {
  const { profile } = readOptions(how, lintChecks)
  if (typeof options !== 'object' || (options as unknown) === null) throw new ConfigurationError('options', 'must be an object')
  const asked = profile === 'fapi2' ? 'fapi2-security' : options.profile
  const problems = checkProfile({ ...options, profile: asked }).map(({ rule, key, mustBe, section }): Finding => ({
    id: rule,
    level: 'error',
    where: key,
    section,
    message: `The FAPI 2.0 Security Profile does not allow this: it ${mustBe}`,
    fix: profileFix
  }))
  return byLevel([...problems, ...findingsOf([...serverRules, ...clientRules, ...deploymentRules], options, profile)])
}

/**
 * Holds a running server against the rules: its metadata, its keys, how it refuses, and the MCP server or API in front
 * of it. It changes nothing there: documents are read, and the only requests beside are ones that must be refused, from
 * a client nobody has. No redirect is followed, an answer is waited for 5 s and read up to 256 KiB, and 40 requests are
 * the most.
 *
 * @param address the issuer, the address of its metadata, or the address of an MCP server.
 * @throws ConfigurationError for an address that is none.
 * @throws LookError (rejects) where no metadata can be had.
 */
export async function lintServer(address: string, how: LintServerOptions = {}): Promise<readonly Finding[]> {
  const { profile, fetch, timeout } = readOptions(how, lintServerChecks)
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol))
    throw new ConfigurationError('address', 'must be an http or https URL')
  const seen = await seeServer(address, fetch, timeout)
  return byLevel(findingsOf([...metadataRules, ...behaviourRules], seen, profile))
}
