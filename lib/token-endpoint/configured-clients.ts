/**
 * Rules for the clients somebody configured, beside what the server offers: what they registered must be of some use to
 * them. Told at start, not by requests that can only fail.
 */
import { certificateSubjectProblem } from '../certificates/subject.ts'
import { isPublicKey } from '../client-keys/public-keys.ts'
import { credentialSet } from '../clients/credentials.ts'
import type { ClientRule } from '../clients/offered.ts'
import type { ClientAuthenticationStrategy } from '../strategies/strategy.ts'

/** The rules a server with these strategies has. */
export function configuredClientRules(strategies: readonly ClientAuthenticationStrategy[]): readonly ClientRule[] {
  return [assertionsCanBeSigned(strategies), keysArePublic, subjectsCanMatch]
}

/** One of the methods a client may use has to take the algorithm it registered for its assertions. */
function assertionsCanBeSigned(strategies: readonly ClientAuthenticationStrategy[]): ClientRule {
  return (client, fail) => {
    const { token_endpoint_auth_signing_alg: alg } = client
    if (alg === undefined) return
    const methods = credentialSet(client).methods.map(({ method }) => method)
    const used = strategies.filter(({ name }) => methods.includes(name))
    const algorithms = [...new Set(used.flatMap(({ signingAlgorithms = [] }) => signingAlgorithms))]
    if (algorithms.length > 0 && !algorithms.includes(alg))
      fail('token_endpoint_auth_signing_alg', `must be one of ${algorithms.join(', ')} for ${methods.join(' and ')}`)
  }
}

/** Whoever can read the clients could be one whose private key stands there. */
const keysArePublic: ClientRule = ({ jwks }, fail) => {
  jwks?.keys.forEach((key: unknown, index) => {
    if (typeof key === 'object' && key !== null && 'kty' in key && !isPublicKey(key))
      fail(`jwks.keys[${index}]`, 'must be a public key, with no private or symmetric part')
  })
}

/** What cannot be read as a name, or as an address, is that of no certificate. */
const subjectsCanMatch: ClientRule = (client, fail) => {
  for (const { id, member, value } of credentialSet(client).subjects) {
    const problem = certificateSubjectProblem(member, value)
    if (problem === undefined) continue
    if (id === member) fail(member, `must be what a certificate can have; this ${problem}`)
    fail('credentials', `must have subjects that a certificate can have; that of ${id} ${problem}`)
  }
}
