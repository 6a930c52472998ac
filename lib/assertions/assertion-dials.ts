/**
 * Rules about client assertions that can be tried out before they are enforced: whoever breaks one is let in, and
 * reported.
 */
import { oneOf, type Checks, type Read } from '../options.ts'

/** Modes of the rules: `report` lets the client in and tells who it is, as the event `authentication.tolerated`. */
export interface AssertionDials {
  /**
   * The `typ` header is `client-authentication+jwt` (rfc7523bis §3.2). Default `off`, as rfc7523bis advises: none, or
   * `JWT`, is good too. That of another kind of JWT never is.
   */
  readonly typ?: 'off' | 'report' | 'enforce' | undefined
  /**
   * The algorithm is among those accepted and is the one the client registered. Default `enforce`. `report` lets any of
   * the same kind through that can be verified; `none` never, nor a secret's where a key is registered or the reverse.
   */
  readonly alg?: 'report' | 'enforce' | undefined
  /**
   * `iat` and `nbf` are no further ahead than the tolerance. Default `enforce`. `report` lets up to 60 seconds through,
   * and nothing beyond.
   */
  readonly clock?: 'report' | 'enforce' | undefined
}

export const dialChecks = {
  typ: oneOf(['off', 'report', 'enforce'], 'off'),
  alg: oneOf(['report', 'enforce'], 'enforce'),
  clock: oneOf(['report', 'enforce'], 'enforce')
} satisfies Checks<AssertionDials>

/** The dials with their defaults. */
export type CheckedDials = Read<typeof dialChecks>
