/** The grants built in. The token router, metadata and registration follow from those that are mounted. */
import { authorizationCode } from './authorization-code.ts'
import { ciba } from './ciba.ts'
import { clientCredentials } from './client-credentials.ts'
import { deviceCode } from './device-code.ts'
import { jwtBearer } from './jwt-bearer.ts'
import { refreshToken } from './refresh-token.ts'
import { tokenExchange } from './token-exchange.ts'
import type { TokenIssuer } from './token-issuer.ts'

/**
 * Every grant that needs nothing else set up, in the order metadata lists them. The others are on where they are
 * listed.
 */
export function builtInTokenIssuers(): readonly TokenIssuer[] {
  return [authorizationCode(), clientCredentials(), refreshToken()]
}

export { authorizationCode, ciba, clientCredentials, deviceCode, jwtBearer, refreshToken, tokenExchange }
