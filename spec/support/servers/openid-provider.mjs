/**
 * An OpenID provider nobody here wrote, in a process of its own: `node openid-provider.mjs PORT CLIENTS [ATTESTER]`. Whoever types a name is that person;
 * the attester is the public key of who vouches for instances of clients.
 */
import { randomBytes } from 'node:crypto'
import { importJWK } from 'jose'
import { Provider } from 'oidc-provider'

const [port = '', clients = '[]', attester] = process.argv.slice(2)

const provider = new Provider(`http://localhost:${port}`, {
  clients: JSON.parse(clients),
  claims: { openid: ['sub'], profile: ['name'], email: ['email'] },
  findAccount: (_ctx, sub) => ({
    accountId: sub,
    claims: () => ({ sub, name: `The ${sub}`, email: `${sub}@example.com` })
  }),
  // it would tell nobody who is on loopback, as every client of a spec is
  fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined }),
  features: {
    devInteractions: { enabled: true },
    rpInitiatedLogout: { enabled: true },
    backchannelLogout: { enabled: true },
    clientCredentials: { enabled: true },
    dPoP: { enabled: true, nonceSecret: randomBytes(32) },
    ...(attester && {
      attestClientAuth: {
        enabled: true,
        ack: 'draft-12',
        challengeSecret: randomBytes(32),
        getAttestationSignaturePublicKey: () => importJWK(JSON.parse(attester), 'ES256')
      }
    })
  },
  ...(attester && { clientAuthMethods: ['none', 'attest_jwt_client_auth', 'attest_jwt_client_auth_dpop'] }),
  issueRefreshToken: (_ctx, client, code) => client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
  cookies: { keys: ['a key for cookies of a spec'] },
  ttl: { AccessToken: 3600, Grant: 3600, IdToken: 3600, Interaction: 600, Session: 3600, RefreshToken: 3600 }
})
provider.listen(Number(port), 'localhost', () => process.stdout.write('ready\n'))
// it goes where the process that started it goes, however that ends
process.stdin.resume().on('end', () => process.exit())
