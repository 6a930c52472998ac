/** The common part of the presets: the options every one takes, and the making of a credential from a rule. */
import type { ClaimRule, ClaimRules, FederatedCredential } from '../clients/federated-credential.ts'
import { ConfigurationError, integer, objectLike, readBy, text, type Check, type Checks, type Read } from '../options.ts'
import { asList } from '../json.ts'

/** Options of every preset, beside those its platform calls for. */
export interface PresetOptions {
  /** Names the credential among the client's. Default: a digest of its rule. */
  readonly id?: string | undefined
  /** For whoever operates the server. */
  readonly label?: string | undefined
  /** Seconds since the epoch before which it is not accepted. */
  readonly not_before?: number | undefined
  /** Seconds since the epoch from which it is no longer accepted. */
  readonly expires_at?: number | undefined
  /** The value `aud` of the token must have. Default: the issuer identifier of the authorization server. */
  readonly audience?: string | undefined
  /** Further claims that must be there, with these values. */
  readonly claims?: ClaimRules | undefined
}

export const presetChecks = {
  id: text(),
  label: text(),
  not_before: integer({ min: 0 }),
  expires_at: integer({ min: 0 }),
  audience: text(),
  claims: objectLike<ClaimRules>('an object of claims with the values they must have')
} satisfies Checks<PresetOptions>

/** Refuses an option of a preset by its name: `githubActions.repository_id`. */
type RefuseOption = (option: string, mustBe: string) => never

/** The refusals of one preset. */
export function refusing(preset: string): RefuseOption {
  return (option, mustBe) => {
    throw new ConfigurationError(`${preset}.${option}`, mustBe)
  }
}

/** A number the platform counts with, as its tokens say it: in digits. */
export function number(whose: string): Check<string | undefined> {
  const takes = `${whose}, in digits`
  return readBy(takes, (value, key) => {
    const given = typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? String(value) : value
    if (given === undefined || (typeof given === 'string' && /^[0-9]{1,30}$/.test(given))) return given
    throw new ConfigurationError(key, `must be ${takes}`)
  })
}

/** An address that keys can be fetched from. */
export function isHttps(url: string): boolean {
  return url.startsWith('https://') && URL.canParse(url)
}

/** One text, or a list of which any will do. */
export function anyOf(what: string, is: (value: string) => boolean = () => true): Check<string | readonly string[] | undefined> {
  const takes = `${what}, or a list of them of which any will do`
  return readBy(takes, (value, key) => {
    if (value === undefined) return undefined
    const all = asList(value)
    if (all.length > 0 && all.every((one): one is string => typeof one === 'string' && one !== '' && is(one)))
      return Array.isArray(value) ? all : all[0]
    throw new ConfigurationError(key, `must be ${takes}`)
  })
}

interface Rule {
  readonly issuer: string
  readonly subject?: string | undefined
  /** A claim that is undefined is not wanted. */
  readonly claims: Readonly<Record<string, ClaimRule | undefined>>
}

/**
 * The credential of a rule, with what every preset takes. `claims` of the options may add to the rule and take nothing
 * back.
 */
export function credential(options: Read<typeof presetChecks>, rule: Rule, refuse: RefuseOption): FederatedCredential {
  const { id, label, not_before, expires_at, audience, claims: more = {} } = options
  const wanted = Object.entries(rule.claims).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))
  const claims = merged(Object.fromEntries(wanted), more, path =>
    refuse(`claims.${path}`, 'must not be what the other options say')
  )
  return {
    ...(id !== undefined && { id }),
    ...(label !== undefined && { label }),
    ...(not_before !== undefined && { not_before }),
    ...(expires_at !== undefined && { expires_at }),
    issuer: rule.issuer,
    ...(rule.subject !== undefined && { subject: rule.subject }),
    ...(audience !== undefined && { audience }),
    ...(Object.keys(claims).length > 0 && { claims })
  }
}

function merged(rule: ClaimRules, more: ClaimRules, refuse: (path: string) => never): ClaimRules {
  const added = Object.entries(more).map(([name, value]): [string, ClaimRule] => {
    const before = Object.hasOwn(rule, name) ? rule[name] : undefined
    if (before === undefined) return [name, value]
    if (!isRules(before) || !isRules(value)) return refuse(name)
    return [name, merged(before, value, path => refuse(`${name}.${path}`))]
  })
  return Object.fromEntries([...Object.entries(rule), ...added])
}

function isRules(rule: ClaimRule): rule is ClaimRules {
  return typeof rule === 'object' && !Array.isArray(rule)
}
