/** Security profiles: many rules under one name, all on at once, and refused at start where the configuration breaks one. */
import type { ClientMetadata, ClientRegistry, ClientSource } from './clients/client.ts'
import { defaultMethod, isPublicMethod, methodsThat } from './clients/methods.ts'
import { clientMetadata, type MetadataMember } from './clients/metadata/metadata.ts'
import { ConfigurationError, oneOf } from './options.ts'

/** `oauth2`: OAuth 2.1 as far as each option says. `fapi2-security`: the FAPI 2.0 Security Profile, whole. */
export type Profile = 'oauth2' | 'fapi2-security'

/** One rule a configuration breaks. */
export interface ProfileProblem {
  /** The option's path, such as `clients[3].token_endpoint_auth_method`. */
  readonly key: string
  /** What it must be. */
  readonly mustBe: string
  /** The section of the profile that asks for it. */
  readonly section: string
}

/** The options a profile has something to say about. */
export interface ProfiledOptions {
  readonly profile?: Profile | undefined
  readonly clients: ClientSource | ClientRegistry
  readonly strategies?: readonly { readonly name: string }[] | undefined
  readonly assertionAudience?: string | undefined
  readonly assertionAlgorithms?: readonly string[] | undefined
  readonly assertionDials?: { readonly alg?: string | undefined } | undefined
  readonly authorizationCodeTtl?: number | undefined
  readonly refreshTokenRotation?: string | undefined
  readonly resources?: readonly { readonly signingAlgorithm?: string | undefined }[] | undefined
}

/** What a profile decides, where an option leaves it open. */
export interface ProfilePolicy {
  /** The only signature algorithms accepted and used; the first is the default for ID Tokens. Undefined: each option's own. */
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

/** What a profile decides. */
export function policyOf(profile: Profile): ProfilePolicy {
  return policies[profile]
}

/** The members that name a signature algorithm. */
const registeredAlgorithms = Object.entries<MetadataMember>(clientMetadata).flatMap(([name, { offered }]) =>
  offered?.endsWith('Algorithms') === true ? [name] : []
)

/**
 * Every rule of the profile the options break; an empty list where there is none. Clients that are found by a function are judged when they come: what
 * they registered cannot weaken what the profile enforces.
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

function checkServer(options: ProfiledOptions): readonly ProfileProblem[] {
  const problems: ProfileProblem[] = []
  const { strategies = [], assertionAudience = 'issuer', authorizationCodeTtl = 60, refreshTokenRotation = 'unbound' } = options
  strategies.forEach(({ name }, index) => {
    if (fapiMethods.includes(name)) return
    problems.push({
      key: `strategies[${index}]`,
      mustBe: `must be one of ${fapiMethods.join(', ')}`,
      section: 'FAPI 2.0 §5.3.2.1 (6)'
    })
  })
  if (assertionAudience !== 'issuer') {
    problems.push({ key: 'assertionAudience', mustBe: 'must be "issuer"', section: 'FAPI 2.0 §5.3.2.1 (8)' })
  }
  options.assertionAlgorithms?.forEach((alg, index) => {
    if (fapiAlgorithms.includes(alg)) return
    const mustBe = `must be one of ${fapiAlgorithms.join(', ')}`
    problems.push({ key: `assertionAlgorithms[${index}]`, mustBe, section: 'FAPI 2.0 §5.4.1' })
  })
  if (options.assertionDials?.alg === 'report') {
    problems.push({ key: 'assertionDials.alg', mustBe: 'must be "enforce"', section: 'FAPI 2.0 §5.4.1' })
  }
  options.resources?.forEach(({ signingAlgorithm }, index) => {
    if (signingAlgorithm === undefined || fapiAlgorithms.includes(signingAlgorithm)) return
    const mustBe = `must be one of ${fapiAlgorithms.join(', ')}`
    problems.push({ key: `resources[${index}].signingAlgorithm`, mustBe, section: 'FAPI 2.0 §5.4.1' })
  })
  if (authorizationCodeTtl > 60) {
    problems.push({ key: 'authorizationCodeTtl', mustBe: 'must be at most 60 seconds', section: 'FAPI 2.0 §5.3.2.1 (11)' })
  }
  if (refreshTokenRotation === 'always') {
    problems.push({ key: 'refreshTokenRotation', mustBe: 'must be "unbound" or "never"', section: 'FAPI 2.0 §5.3.2.1 (9)' })
  }
  return problems
}

/** @param prefix what stands before a member's name in `key`. */
function checkClient(client: ClientMetadata, prefix: string): readonly ProfileProblem[] {
  const problems: ProfileProblem[] = []
  const method = client.token_endpoint_auth_method ?? defaultMethod
  if (!fapiMethods.includes(method)) {
    problems.push({
      key: `${prefix}token_endpoint_auth_method`,
      mustBe: `must be one of ${fapiMethods.join(', ')}`,
      section: isPublicMethod(method) ? 'FAPI 2.0 §5.3.2.1 (3)' : 'FAPI 2.0 §5.3.2.1 (6)'
    })
  }
  ;(client.credentials ?? []).forEach((credential, index) => {
    if (credential.type !== 'method' || fapiMethods.includes(credential.method)) return
    problems.push({
      key: `${prefix}credentials[${index}].method`,
      mustBe: `must be one of ${fapiMethods.join(', ')}`,
      section: 'FAPI 2.0 §5.3.2.1 (6)'
    })
  })
  if (client.dpop_bound_access_tokens !== true && client.tls_client_certificate_bound_access_tokens !== true) {
    problems.push({
      key: `${prefix}dpop_bound_access_tokens`,
      mustBe: 'or tls_client_certificate_bound_access_tokens must be true',
      section: 'FAPI 2.0 §5.3.2.1 (4)'
    })
  }
  if ((client.assertion_audience ?? 'issuer') !== 'issuer') {
    problems.push({ key: `${prefix}assertion_audience`, mustBe: 'must be "issuer"', section: 'FAPI 2.0 §5.3.2.1 (8)' })
  }
  for (const member of registeredAlgorithms) {
    const alg: unknown = client[member]
    if (alg === undefined || alg === null || fapiAlgorithms.includes(alg as string)) continue
    problems.push({
      key: `${prefix}${member}`,
      mustBe: `must be one of ${fapiAlgorithms.join(', ')}`,
      section: 'FAPI 2.0 §5.4.1'
    })
  }
  return problems
}
