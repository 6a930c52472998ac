/** Rules of several members of client metadata together, for configured and for registered clients alike. */
import { notificationEndpointIsNeeded, pushedTokensAreUnbound } from '../backchannel-metadata.ts'
import { checkFederatedCredentials } from '../configured-credentials.ts'
import { certificateSubjects } from '../credentials.ts'
import { pairwiseHasASector } from '../subject-type.ts'
import type { MetadataRule } from './metadata.ts'

/** RFC 7591 §2. */
const keysAreGivenOnce: MetadataRule = ({ jwks, jwks_uri }, fail) => {
  if (jwks !== undefined && jwks_uri !== undefined) fail('jwks_uri', 'must not be given together with jwks')
}

/** RFC 8705 §2.1.2. */
const oneSubject: MetadataRule = (metadata, fail) => {
  const [, second] = certificateSubjects.filter(member => metadata[member] !== undefined)
  if (second !== undefined)
    fail(second, `must be the only one: tls_client_auth needs exactly one of ${certificateSubjects.join(', ')}`)
}

/** RFC 7591 §2.1: a code has to be sent somewhere. */
const codesHaveARedirect: MetadataRule = ({ grant_types, redirect_uris = [] }, fail) => {
  if (grant_types?.includes('authorization_code') === true && redirect_uris.length === 0)
    fail('redirect_uris', 'must name at least one URI, for the grant authorization_code')
}

const federatedCredentialsAreDistinct: MetadataRule = ({ federated_credentials }, fail) => {
  checkFederatedCredentials(federated_credentials, fail)
}

export const metadataRules: readonly MetadataRule[] = [
  keysAreGivenOnce,
  federatedCredentialsAreDistinct,
  oneSubject,
  codesHaveARedirect,
  notificationEndpointIsNeeded,
  pushedTokensAreUnbound,
  pairwiseHasASector
]
