/** Judges of the members a client may register. One that has none is not understood, and kept out (RFC 7591 §2). */
import { memberOf, type MetadataMember, type OfferedValues } from '../../clients/metadata/metadata.ts'
import { judgeOfKind, listOf } from '../../clients/metadata/kinds.ts'
import type { Json } from '../../stores/store.ts'
import { parseScope } from '../../tokens/scope.ts'
import { certificateSubject, jwks } from './keys.ts'
import { redirectUris } from './redirect-uris.ts'
import type { RegistrationRules } from './rules.ts'
import { oneOf, refuse, type Judge } from './values.ts'

/** The values this server has, by the names the table of members knows them by. */
const choices: Readonly<Record<OfferedValues, (rules: RegistrationRules) => readonly string[]>> = {
  methods: ({ methods }) => [...methods.keys()],
  assertionAlgorithms: ({ methods }) => [...new Set([...methods.values()].flat())],
  grantTypes: ({ grantTypes }) => grantTypes,
  responseTypes: ({ grantTypes }) => (grantTypes.includes('authorization_code') ? ['code'] : []),
  signingAlgorithms: ({ signingAlgorithms }) => signingAlgorithms,
  requestObjectAlgorithms: ({ requestObjectAlgorithms }) => requestObjectAlgorithms,
  authorizationDetailTypes: ({ authorizationDetailTypes }) => authorizationDetailTypes,
  subjectTypes: ({ subjectTypes }) => subjectTypes,
  deliveryModes: ({ deliveryModes }) => deliveryModes
}

/** Kinds that registration is stricter about than configuration. */
const stricter: ReadonlyMap<MetadataMember['kind'], Judge> = new Map<MetadataMember['kind'], Judge>([
  ['redirect_uris', redirectUris],
  ['jwks', jwks],
  ['subject', certificateSubject],
  ['scope', scope]
])

/** Judges a member of this name; undefined where this server knows none, or none that is the client's to say. */
export function judgeOf(name: string, { grantTypes, workloads }: RegistrationRules): Judge | undefined {
  const member = memberOf(name)
  if (member === undefined || member.configured === true || (member.workload === true && !workloads)) return undefined
  if (member.grant !== undefined && !grantTypes.includes(member.grant)) return undefined
  if (name === 'tls_client_certificate_bound_access_tokens') return withCertificates
  return stricter.get(member.kind) ?? chosen(member) ?? ofKind(member.kind)
}

function chosen({ kind, offered, values }: MetadataMember): Judge | undefined {
  const choice = offered === undefined ? values && (() => values) : choices[offered]
  if (choice === undefined) return undefined
  const one = oneOf(choice)
  if (kind !== 'list') return one
  return (value, member, rules) =>
    listOf((item, name) => one(item, name, rules))(value, member, { fail: refuse, loopback: rules.loopback }) as Json
}

function ofKind(kind: MetadataMember['kind']): Judge {
  return (value, member, { loopback }) => judgeOfKind(kind)(value, member, { fail: refuse, loopback }) as Json
}

/** Refuses to bind tokens to certificates that never come: that would be a promise nobody keeps. */
const withCertificates: Judge = (value, member, rules) => {
  const bound = ofKind('flag')(value, member, rules)
  return bound === true && !rules.certificateMethods
    ? refuse(member, 'must be false: connections to this server carry no client certificate')
    : bound
}

/**
 * The values a client may have are kept, the others left out; one that may have none of what it asks for is told so.
 */
function scope(value: unknown, member: string, rules: RegistrationRules): string {
  const values = typeof value === 'string' ? parseScope(value) : undefined
  if (values === undefined) return refuse(member, 'must be scope values with one space between them')
  const available = values.filter(one => rules.scopes.includes(one))
  if (available.length > 0) return available.join(' ')
  return refuse(
    member,
    rules.scopes.length > 0 ? `must name one of ${rules.scopes.join(', ')}` : 'must be left out: there is none here'
  )
}
