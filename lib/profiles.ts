/**
 * Security profiles: many rules under one name, all on at once, and refused at start where the configuration breaks
 * one.
 */
import type { ClientMetadata, ClientRegistry, ClientSource } from './clients/client.ts'
import { defaultMethod, isPublicMethod, methodsThat } from './clients/methods.ts'
import { clientMetadata, type MetadataMember } from './clients/metadata/metadata.ts'
import { ConfigurationError, oneOf } from './options.ts'

/** `oauth2`: OAuth 2.1 as far as each option says. `fapi2-security`: the FAPI 2.0 Security Profile, whole. */
export type Profile = 'oauth2' | 'fapi2-security'

/** One rule a configuration breaks. */
export interface ProfileProblem {
  /** The rule's name, the same from one version to the next; docs/lint has a page for each. */
  readonly rule: string
  /** The option's path, such as `clients[3].token_endpoint_auth_method`. */
  readonly key: string
  /** Words on what it must be, to follow `key`. */
  readonly mustBe: string
  /** The section of the profile that asks for it. */
  readonly section: string
}

/** The options a profile has something to say about. */
export interface ProfiledOptions {
  /** The profile to hold the options against. */
  readonly profile?: Profile | undefined
  /** The clients, each held against it where they are a list. */
  readonly clients: ClientSource | ClientRegistry
  /** The client authentication methods. */
  readonly strategies?: readonly { /** The method's name. */ readonly name: string }[] | undefined
  /** The server's dial for the audience of assertions. */
  readonly assertionAudience?: string | undefined
  /** The algorithms assertions may be signed with. */
  readonly assertionAlgorithms?: readonly string[] | undefined
  /** The dials of assertions. */
  readonly assertionDials?: { /** The dial for algorithms. */ readonly alg?: string | undefined } | undefined
  /** Seconds an authorization code lives. */
  readonly authorizationCodeTtl?: number | undefined
  /** The refresh tokens that rotate. */
  readonly refreshTokenRotation?: string | undefined
  /** The resources, each with its algorithm. */
  readonly resources?:
    | readonly { /** The algorithm its access tokens are signed with. */ readonly signingAlgorithm?: string | undefined }[]
    | undefined
}

/** Decisions of a profile, where an option leaves them open. */
export interface ProfilePolicy {
  /**
   * The only signature algorithms accepted and used; the first is the default for ID Tokens. Undefined: each option's
   * own.
   */
  readonly algorithms: readonly string[] | undefined
  /** The only client authentication methods. Undefined: every mounted one. */
  readonly methods: readonly string[] | undefined
  /** Every client uses PKCE. */
  readonly requirePkce: boolean
  /** Every authorization request is pushed. */
  readonly pushed: boolean
  /** Every token is bound to a key or a certificate. */
  readonly senderConstrained: boolean
  /** `aud` of an assertion is a string, never a list. */
  readonly audienceAsStringOnly: boolean
  /** Whether an assertion may be addressed to anything else than the issuer. */
  readonly legacyAudiences: boolean
  /** Every request object has `nbf` and `exp`, an hour apart at most. */
  readonly strictRequestObjects: boolean
  /** Whether anyone may register a client. */
  readonly openRegistration: boolean
  /** The rules an option breaks. */
  readonly problems: (options: ProfiledOptions) => readonly ProfileProblem[]
  /** The rules one client's metadata breaks. @param prefix what stands before a member's name in `key`. */
  readonly clientProblems: (client: ClientMetadata, prefix: string) => readonly ProfileProblem[]
}

/** The rules of the FAPI 2.0 Security Profile that options can break: by name, the section that asks for it. */
export const profileRules = {
  fapi_method: 'FAPI 2.0 §5.3.2.1 (6)',
  fapi_public_client: 'FAPI 2.0 §5.3.2.1 (3)',
  fapi_bound_tokens: 'FAPI 2.0 §5.3.2.1 (4)',
  fapi_assertion_audience: 'FAPI 2.0 §5.3.2.1 (8)',
  fapi_refresh_rotation: 'FAPI 2.0 §5.3.2.1 (9)',
  fapi_code_lifetime: 'FAPI 2.0 §5.3.2.1 (11)',
  fapi_algorithm: 'FAPI 2.0 §5.4.1'
} as const

/** One rule that is broken. */
function problem(rule: keyof typeof profileRules, key: string, mustBe: string): ProfileProblem {
  return { rule, key, mustBe, section: profileRules[rule] }
}

/** FAPI 2.0 §5.4.1; EdDSA is Ed25519, under either name. */
const fapiAlgorithms: readonly string[] = ['PS256', 'ES256', 'EdDSA', 'Ed25519']
/** FAPI 2.0 §5.3.2.1 (6). */
const fapiMethods: readonly string[] = methodsThat(({ fapi }) => fapi === true)

const policies: Readonly<Record<Profile, ProfilePolicy>> = {
  oauth2: {
    algorithms: undefined,
    methods: undefined,
    requirePkce: false,
    pushed: false,
    senderConstrained: false,
    audienceAsStringOnly: false,
    legacyAudiences: true,
    strictRequestObjects: false,
    openRegistration: true,
    problems: () => [],
    clientProblems: () => []
  },
  'fapi2-security': {
    algorithms: fapiAlgorithms,
    methods: fapiMethods,
    requirePkce: true,
    pushed: true,
    senderConstrained: true,
    audienceAsStringOnly: true,
    // with none there is nothing that a client’s own assertion_audience could let in (FAPI 2.0 §5.3.2.1 (8))
    legacyAudiences: false,
    strictRequestObjects: true,
    openRegistration: false,
    problems: checkServer,
    clientProblems: checkClient
  }
}

export const profileCheck = oneOf(['oauth2', 'fapi2-security'], 'oauth2')

/** Returns the decisions of a profile. */
export function policyOf(profile: Profile): ProfilePolicy {
  return policies[profile]
}

/** The members that name a signature algorithm. */
const registeredAlgorithms = Object.entries<MetadataMember>(clientMetadata).flatMap(([name, { offered }]) =>
  offered?.endsWith('Algorithms') === true ? [name] : []
)

/**
 * Every rule of the profile the options break; an empty list where there is none. Clients that are found by a function
 * are judged when they come: what they registered cannot weaken what the profile enforces.
 *
 * @example
 * for (const { key, mustBe, section } of checkProfile({ ...options, profile: 'fapi2-security' })) console.error(`${key} ${mustBe} (${section})`)
 */
export function checkProfile(options: ProfiledOptions): readonly ProfileProblem[] {
  const { problems, clientProblems } = policyOf(profileCheck.read(options.profile, 'profile'))
  const clients = Array.isArray(options.clients) ? (options.clients as readonly ClientMetadata[]) : []
  return [...problems(options), ...clients.flatMap((client, index) => clientProblems(client, `clients[${index}].`))]
}

/** Every rule of the profile one client's metadata breaks; `key` is the member's name. */
export function checkClientProfile(client: ClientMetadata, profile: Profile): readonly ProfileProblem[] {
  return policyOf(profile).clientProblems(client, '')
}

/** @throws ConfigurationError naming the first option that breaks a rule of the profile, and its section. */
export function enforceProfile(options: ProfiledOptions): void {
  const [first] = checkProfile(options)
  if (first !== undefined) throw new ConfigurationError(first.key, `${first.mustBe} (${first.section})`)
}

const oneOfMethods = `must be one of ${fapiMethods.join(', ')}`
const oneOfAlgorithms = `must be one of ${fapiAlgorithms.join(', ')}`

function checkServer(options: ProfiledOptions): readonly ProfileProblem[] {
  const problems: ProfileProblem[] = []
  const { strategies = [], assertionAudience = 'issuer', authorizationCodeTtl = 60, refreshTokenRotation = 'unbound' } = options
  strategies.forEach(({ name }, index) => {
    if (!fapiMethods.includes(name)) problems.push(problem('fapi_method', `strategies[${index}]`, oneOfMethods))
  })
  if (assertionAudience !== 'issuer') problems.push(problem('fapi_assertion_audience', 'assertionAudience', 'must be "issuer"'))
  options.assertionAlgorithms?.forEach((alg, index) => {
    if (!fapiAlgorithms.includes(alg)) problems.push(problem('fapi_algorithm', `assertionAlgorithms[${index}]`, oneOfAlgorithms))
  })
  if (options.assertionDials?.alg === 'report')
    problems.push(problem('fapi_algorithm', 'assertionDials.alg', 'must be "enforce"'))
  options.resources?.forEach(({ signingAlgorithm }, index) => {
    if (signingAlgorithm === undefined || fapiAlgorithms.includes(signingAlgorithm)) return
    problems.push(problem('fapi_algorithm', `resources[${index}].signingAlgorithm`, oneOfAlgorithms))
  })
  if (authorizationCodeTtl > 60)
    problems.push(problem('fapi_code_lifetime', 'authorizationCodeTtl', 'must be at most 60 seconds'))
  if (refreshTokenRotation === 'always')
    problems.push(problem('fapi_refresh_rotation', 'refreshTokenRotation', 'must be "unbound" or "never"'))
  return problems
}

/** @param prefix what stands before a member's name in `key`. */
function checkClient(client: ClientMetadata, prefix: string): readonly ProfileProblem[] {
  const problems: ProfileProblem[] = []
  const method = client.token_endpoint_auth_method ?? defaultMethod
  if (!fapiMethods.includes(method)) {
    const rule = isPublicMethod(method) ? 'fapi_public_client' : 'fapi_method'
    problems.push(problem(rule, `${prefix}token_endpoint_auth_method`, oneOfMethods))
  }
  ;(client.credentials ?? []).forEach((credential, index) => {
    if (credential.type === 'method' && !fapiMethods.includes(credential.method))
      problems.push(problem('fapi_method', `${prefix}credentials[${index}].method`, oneOfMethods))
  })
  if (client.dpop_bound_access_tokens !== true && client.tls_client_certificate_bound_access_tokens !== true) {
    const mustBe = 'or tls_client_certificate_bound_access_tokens must be true'
    problems.push(problem('fapi_bound_tokens', `${prefix}dpop_bound_access_tokens`, mustBe))
  }
  if ((client.assertion_audience ?? 'issuer') !== 'issuer')
    problems.push(problem('fapi_assertion_audience', `${prefix}assertion_audience`, 'must be "issuer"'))
  for (const member of registeredAlgorithms) {
    const alg: unknown = client[member]
    if (alg === undefined || alg === null || fapiAlgorithms.includes(alg as string)) continue
    problems.push(problem('fapi_algorithm', `${prefix}${member}`, oneOfAlgorithms))
  }
  return problems
}
