/** Every rule there is, by its stable id: docs/lint has a page for each. */
import { profileRules } from '../profiles.ts'
import { behaviourRules } from './behaviour-rules.ts'
import { clientRules } from './client-rules.ts'
import { deploymentRules } from './deployment-rules.ts'
import type { RuleFacts } from './finding.ts'
import { metadataRules } from './metadata-rules.ts'
import { serverRules } from './server-rules.ts'

/** A rule's name and facts. */
export interface LintRule extends RuleFacts {
  /** The rule's name. */
  readonly id: string
}

/** Rule broken by a configuration that would not start; whoever reads one says where and why. */
export const invalidSetting: LintRule = {
  id: 'invalid_setting',
  level: 'error',
  section: 'options',
  fix: 'Correct it: the server does not start with it.'
}

/** What to do about an option that a profile does not allow. */
export const profileFix = 'Change it as the profile asks, or use a profile that does not.'

/** The rules of the FAPI 2.0 Security Profile, which `checkProfile()` enforces. */
const fapiRules: readonly LintRule[] = Object.entries(profileRules).map(([id, section]) => ({
  id,
  level: 'error',
  section,
  fix: profileFix,
  profile: 'fapi2'
}))

/** All of them. */
export const lintRules: readonly LintRule[] = [
  invalidSetting,
  ...[...serverRules, ...clientRules, ...deploymentRules, ...metadataRules, ...behaviourRules],
  ...fapiRules
].map(({ id, level, section, fix, profile }) => ({ id, level, section, fix, ...(profile !== undefined && { profile }) }))
