/** Rules about client assertions that can be tried out before they are enforced: whoever breaks one is let in, and reported. */
import { checkKeys, checkOneOf, ConfigurationError } from '../options.ts'

/** What each rule does: `report` lets the client in and tells who it is, as the event `authentication.tolerated`. */
export interface AssertionDials {
  /**
   * The `typ` header is `client-authentication+jwt` (rfc7523bis §3.2). Default `off`, as rfc7523bis advises: none, or `JWT`, is good too. That of
   * another kind of JWT never is.
   */
  readonly typ?: 'off' | 'report' | 'enforce' | undefined
  /**
   * The algorithm is among those accepted and is the one the client registered. Default `enforce`. `report` lets any of the same kind through that
   * can be verified; `none` never, nor a secret's where a key is registered or the reverse.
   */
  readonly alg?: 'report' | 'enforce' | undefined
  /** `iat` and `nbf` are no further ahead than the tolerance. Default `enforce`. `report` lets up to 60 seconds through, and nothing beyond. */
  readonly clock?: 'report' | 'enforce' | undefined
}

/** The dials with their defaults. */
export interface CheckedDials {
  readonly typ: 'off' | 'report' | 'enforce'
  readonly alg: 'report' | 'enforce'
  readonly clock: 'report' | 'enforce'
}

/** @throws ConfigurationError naming the dial that is wrong, such as `assertionDials.typ`. */
export function checkAssertionDials(given: unknown, path = 'assertionDials'): CheckedDials {
  if (given === undefined) return { typ: 'off', alg: 'enforce', clock: 'enforce' }
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new ConfigurationError(path, 'must be an object with typ, alg or clock')
  const { typ, alg, clock }: { readonly typ?: unknown; readonly alg?: unknown; readonly clock?: unknown } = given
  checkKeys(given, ['typ', 'alg', 'clock'], `${path}.`)
  return {
    typ: checkOneOf(typ, `${path}.typ`, ['off', 'report', 'enforce'], 'off'),
    alg: checkOneOf(alg, `${path}.alg`, ['report', 'enforce'], 'enforce'),
    clock: checkOneOf(clock, `${path}.clock`, ['report', 'enforce'], 'enforce')
  }
}
