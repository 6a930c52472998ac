/** Spring Authorization Server as Spring Boot configures it from properties, on one core. */
import { programOf } from '../programs.mjs'
import { issuer, resource, scope, tokenLifetime } from '../cases.mjs'
import { asked, freePort, run } from './program.mjs'

run(async ({ bench, client, signingJwk }) => {
  const port = await freePort()
  const settings = 'spring.security.oauth2.authorizationserver'
  const registration = `${settings}.client.bench.registration`
  const token = `${settings}.client.bench.token`
  const properties = {
    'server.port': port,
    'server.address': '127.0.0.1',
    // connections stay open from window to window, with everybody
    'server.tomcat.max-keep-alive-requests': -1,
    'server.tomcat.keep-alive-timeout': '60s',
    'logging.level.root': 'warn',
    'spring.main.banner-mode': 'off',
    'bench.signing-jwk': JSON.stringify(signingJwk),
    'bench.resource': resource,
    [`${settings}.issuer`]: issuer,
    [`${registration}.client-id`]: client.client_id,
    [`${registration}.client-secret`]: client.client_secret,
    [`${registration}.client-authentication-methods`]: client.token_endpoint_auth_method,
    [`${registration}.authorization-grant-types`]: 'client_credentials',
    [`${registration}.scopes`]: scope,
    [`${token}.access-token-format`]: bench.token === 'jwt' ? 'self-contained' : 'reference',
    [`${token}.access-token-time-to-live`]: `${tokenLifetime}s`
  }
  const jwks = () => asked(`http://127.0.0.1:${port}/oauth2/jwks`)
  return {
    command: 'java',
    options: [
      '-jar',
      programOf('spring-authorization-server'),
      ...Object.entries(properties).map(([name, value]) => `--${name}=${value}`)
    ],
    port,
    ready: jwks,
    jwks
  }
})
