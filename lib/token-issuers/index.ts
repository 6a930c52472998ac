/** The grants built in. The token router, metadata and registration follow from this list. */
import { authorizationCode } from './authorization-code.ts'
import { clientCredentials } from './client-credentials.ts'
import { jwtBearer } from './jwt-bearer.ts'
import { refreshToken } from './refresh-token.ts'
import { tokenExchange } from './token-exchange.ts'
import type { TokenIssuer } from './token-issuer.ts'

/** Every grant built in that needs no options, in the order metadata lists them. The assertion grants need to know whom to trust. */
export function builtInTokenIssuers(): readonly TokenIssuer[] {
  return [authorizationCode(), clientCredentials(), refreshToken()]
}

export { authorizationCode, clientCredentials, jwtBearer, refreshToken, tokenExchange }
