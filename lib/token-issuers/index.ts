/** The grants built in. The token router, metadata and registration follow from this list. */
import { authorizationCode } from './authorization-code.ts'
import { clientCredentials } from './client-credentials.ts'
import { refreshToken } from './refresh-token.ts'
import type { TokenIssuer } from './token-issuer.ts'

/** Every grant built in, in the order metadata lists them. */
export function builtInTokenIssuers(): readonly TokenIssuer[] {
  return [authorizationCode(), clientCredentials(), refreshToken()]
}

export { authorizationCode, clientCredentials, refreshToken }
