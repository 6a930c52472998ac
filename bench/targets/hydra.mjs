/** Ory Hydra with its database in memory, as its documentation starts it, on one core. */
import { programOf } from '../programs.mjs'
import { issuer, scope, tokenLifetime } from '../cases.mjs'
import { asked, freePort, run } from './program.mjs'

run(async ({ client }) => {
  const [port, adminPort] = [await freePort(), await freePort()]
  const admin = `http://127.0.0.1:${adminPort}`
  const { client_id, client_secret, grant_types, token_endpoint_auth_method } = client
  const registered = { client_id, client_secret, grant_types, token_endpoint_auth_method, scope }
  return {
    command: programOf('hydra'),
    options: ['serve', 'all'],
    environment: {
      DSN: 'memory',
      GOMAXPROCS: '1',
      LOG_LEVEL: 'error',
      // the least it takes: with as many as it does by itself, a request would be nothing else
      OAUTH2_HASHERS_ALGORITHM: 'pbkdf2',
      OAUTH2_HASHERS_PBKDF2_ITERATIONS: '1',
      SECRETS_SYSTEM: 'nothing here outlives this secret',
      SERVE_ADMIN_HOST: '127.0.0.1',
      SERVE_ADMIN_PORT: String(adminPort),
      SERVE_PUBLIC_HOST: '127.0.0.1',
      SERVE_PUBLIC_PORT: String(port),
      SQA_OPT_OUT: 'true',
      TTL_ACCESS_TOKEN: `${tokenLifetime}s`,
      URLS_SELF_ISSUER: issuer
    },
    port,
    ready: async () => {
      await asked(`${admin}/health/ready`)
      const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(registered) }
      await asked(`${admin}/admin/clients`, request)
    }
  }
})
