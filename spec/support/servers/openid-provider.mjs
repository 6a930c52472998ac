/** An OpenID provider nobody here wrote, in a process of its own: `node openid-provider.mjs PORT CLIENTS`. Whoever types a name is that person. */
import { Provider } from 'oidc-provider'

const [port = '', clients = '[]'] = process.argv.slice(2)

const provider = new Provider(`http://localhost:${port}`, {
  clients: JSON.parse(clients),
  claims: { openid: ['sub'], profile: ['name'], email: ['email'] },
  findAccount: (_ctx, sub) => ({
    accountId: sub,
    claims: () => ({ sub, name: `The ${sub}`, email: `${sub}@example.com` })
  }),
  features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: false } },
  issueRefreshToken: (_ctx, client, code) => client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
  cookies: { keys: ['a key for cookies of a spec'] },
  ttl: { AccessToken: 3600, Grant: 3600, IdToken: 3600, Interaction: 600, Session: 3600, RefreshToken: 3600 }
})
provider.listen(Number(port), 'localhost', () => process.stdout.write('ready\n'))
