/** Findings of the linter, and the rules they come from. */

/**
 * `error`: a rule that every server must keep. `warning`: one that it should. `note`: what to know, and perhaps to
 * change.
 */
export type FindingLevel = 'error' | 'warning' | 'note'

/** One thing to look at. */
export interface Finding {
  /** The rule's name, the same from one version to the next; docs/lint has a page for each. */
  readonly id: string
  /** Its severity. */
  readonly level: FindingLevel
  /** The path of the option or setting, such as `clients[3].redirect_uris[0]`, or the address that was looked at. */
  readonly where: string
  /** The section of the specification that asks for it. */
  readonly section: string
  /** One sentence: what was found. Never a secret. */
  readonly message: string
  /** One sentence: what to do. */
  readonly fix: string
}

/**
 * The rules to hold something against: those of OAuth 2.1 alone, or with them those of the FAPI 2.0 Security Profile or
 * of MCP.
 */
export type LintProfile = 'oauth2.1' | 'fapi2' | 'mcp'

/** The profiles, in the order in which they are offered. */
export const lintProfiles: readonly LintProfile[] = ['oauth2.1', 'fapi2', 'mcp']

/** Where a rule is broken, and how. */
export interface Spot {
  readonly where: string
  readonly message: string
  /** In the place of the rule's own. */
  readonly level?: FindingLevel
  /** In the place of the rule's own. */
  readonly fix?: string
}

/** What is wrong at a place, in one sentence; false or undefined: nothing. */
export type Problem = string | false | undefined

/** The spot of a problem, where there is one. @param level in the place of the rule's own. */
export function spotAt(where: string, problem: Problem, level?: FindingLevel): readonly Spot[] {
  if (problem === undefined || problem === false) return []
  return [{ where, message: problem, ...(level !== undefined && { level }) }]
}

/** Facts of a rule, the same for everything it finds except where a spot has its own. */
export interface RuleFacts {
  /** Its severity, where a spot does not say otherwise. */
  readonly level: FindingLevel
  /** The section of the specification that asks for it. */
  readonly section: string
  /** One sentence: what to do. */
  readonly fix: string
  /** The one profile that has this rule. Default: all of them. */
  readonly profile?: LintProfile
}

/** A rule about subjects of one kind. */
export interface Rule<Subject> extends RuleFacts {
  readonly id: string
  readonly find: (subject: Subject) => readonly Spot[]
}

/** Everything the rules of a profile find, rule by rule. */
export function findingsOf<Subject>(rules: readonly Rule<Subject>[], subject: Subject, profile: LintProfile): readonly Finding[] {
  return rules
    .filter(rule => rule.profile === undefined || rule.profile === profile)
    .flatMap(rule => rule.find(subject).map(spot => findingOf(rule, spot)))
}

function findingOf({ id, level, section, fix }: Rule<never>, spot: Spot): Finding {
  return { id, level: spot.level ?? level, where: spot.where, section, message: spot.message, fix: spot.fix ?? fix }
}

/** The worst first, and of one level in the order of their places. */
export function byLevel(findings: readonly Finding[]): readonly Finding[] {
  const order: readonly FindingLevel[] = ['error', 'warning', 'note']
  return findings.toSorted((one, other) => order.indexOf(one.level) - order.indexOf(other.level))
}

/** Whether anything is so wrong that it must not stay. */
export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some(({ level }) => level === 'error')
}
