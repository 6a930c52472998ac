/** The options of the linter. */
import { fn, integer, oneOf, type Checks } from '../options.ts'
import { lintProfiles, type LintProfile } from './finding.ts'

/** Options of `lintOptions()`, and of `lintServer()` too. */
export interface LintOptions {
  /** The rules to hold it against. Default `oauth2.1`. */
  readonly profile?: LintProfile | undefined
}

/** Options of `lintServer()`. */
export interface LintServerOptions extends LintOptions {
  /** Asks for addresses. Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined
  /** Milliseconds to wait for each answer. Default 5000. */
  readonly timeout?: number | undefined
}

export const lintChecks = { profile: oneOf(lintProfiles, 'oauth2.1') } satisfies Checks<LintOptions>
export const lintServerChecks = {
  ...lintChecks,
  fetch: fn<typeof globalThis.fetch>((...request) => globalThis.fetch(...request)),
  timeout: integer({ min: 1, max: 60_000, default: 5000, of: 'milliseconds' })
} satisfies Checks<LintServerOptions>
