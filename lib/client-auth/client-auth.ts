/**
 * `clientele/client-auth`: for clients, the authentication methods their OAuth library lacks. Nothing here makes a
 * request: each function returns what openid-client and oauth4webapi take as `ClientAuth` and the MCP SDK as
 * `AddClientAuthentication`.
 */
export { attestJwt, type AttestJwtOptions } from './attest-jwt.ts'
export {
  ClientAuthenticationError,
  type AuthenticatedParties,
  type ClientAuthentication,
  type McpClientArguments,
  type OpenidClientArguments
} from './client-authentication.ts'
export { federatedJwt, spiffeJwt, workloadGrant, type WorkloadGrantOptions, type WorkloadJwtOptions } from './workload-jwt.ts'
export { type WorkloadTokenSource } from './workload-token.ts'
