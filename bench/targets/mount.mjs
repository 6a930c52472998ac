/** What both clientele targets mount: one line as its README shows it. */
import { randomUUID } from 'node:crypto'
import { authorizationServer, generateKeys, memoryStore } from 'clientele'
import { codeLifetime, issuer, resource, scope } from '../cases.mjs'
import { grown } from '../workload-cases.mjs'
import { preparation } from './mount-preparation.mjs'

/** Each store as its documentation opens it. */
const stores = {
  memory: async () => memoryStore(),
  sqlite: async path => (await import('clientele/stores/sqlite')).sqliteStore({ path }),
  postgres: async url => (await import('clientele/stores/postgres')).postgresStore({ url }),
  redis: async url => (await import('clientele/stores/redis')).redisStore({ url })
}

/** A store that is open already, or one of those above. */
export function open(store) {
  return store.kind === undefined ? store : stores[store.kind](store.address)
}

/** @param further options, once it is known what the server has. */
export async function mount(
  app,
  { bench, client, more = {}, serverKeys, store, port, person = randomUUID },
  further = () => ({})
) {
  const opened = await open(store)
  app.use(
    authorizationServer({
      issuer,
      ...grown(bench, { ...more, clients: [client] }),
      store: opened,
      keys: serverKeys ?? (await generateKeys()),
      scopes: [scope, 'offline_access'],
      resources: [{ resource, scopes: [scope], accessTokenFormat: 'jwt' }],
      // a request that names no resource gets an opaque token, as from the others
      defaultResource: 'none',
      authorizationCodeTtl: codeLifetime,
      // everybody is signed in, each as somebody else or as `person` says, and agrees to everything: nothing asks anybody in
      // the measured time
      interaction: {
        account: () => ({ sub: person(), auth_time: Math.floor(Date.now() / 1000) }),
        consented: () => true,
        prompt: () => undefined
      },
      ...further({ store: opened, client, issuer })
    })
  )
  return preparation(bench, port)
}
