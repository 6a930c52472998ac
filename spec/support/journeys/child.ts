/** A server in a process of its own, started by journey-process.ts. Whatever this process prints is what its operator would read. */
import { inspect } from 'node:util'
import { authorizationCode, clientCredentials, refreshToken, type AuthorizationServerOptions } from 'clientele'
import type { ChildSetup } from './process.ts'
import { alwaysAlice, serverAuthority, startServer } from './server.ts'

/** Everything an eager logger could get out of a value. */
function dump(value: unknown): string {
  return inspect(value, { depth: Infinity, showHidden: true, maxStringLength: null, maxArrayLength: null })
}

const eager: Partial<AuthorizationServerOptions> = {
  onDecision: decision => console.log(JSON.stringify(decision)),
  onError: (error, req) => {
    console.error(error)
    console.error(dump(error), JSON.stringify(error), String(error), error instanceof Error ? error.stack : '')
    console.error(dump(req.authenticatedClient), JSON.stringify(req.authenticatedClient))
  }
}

/** Logs nothing of its own: what comes out is the library's. A listener that fails is one more reason for it to speak. */
const quiet: Partial<AuthorizationServerOptions> = {
  onDecision: ({ trace_id }) => {
    throw new Error(`could not log ${trace_id}`)
  },
  onError: undefined
}

async function serve({ clients, clientCa, keys, operator }: ChildSetup): Promise<void> {
  const byId = new Map(clients.map(({ client_id, metadata }) => [client_id, metadata]))
  const { issuer } = await startServer({
    clients,
    clientCa,
    listeners: 'https',
    options: {
      ...(operator === 'eager' ? eager : quiet),
      keys,
      interaction: {
        ...alwaysAlice,
        consented: req => {
          if (req.query['login_hint'] === 'nobody') throw new Error('the consents cannot be read')
          return true
        }
      },
      clients: client_id => {
        if (client_id === 'unreachable') throw new Error('the directory does not answer')
        return byId.get(client_id)
      },
      tokenIssuers: [
        authorizationCode(),
        clientCredentials(),
        refreshToken(),
        { grant_type: 'urn:example:fault', issue: () => Promise.reject(new Error('a fault of ours')) }
      ]
    }
  })
  process.send?.({ issuer, ca: serverAuthority.pem })
}

process.once('message', (setup: ChildSetup) => {
  void serve(setup)
})
process.once('disconnect', () => process.exit(0))
