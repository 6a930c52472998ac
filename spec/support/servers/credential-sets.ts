/** Credential sets with a clock, a store and a listener, for the specs about them. */
import { newKeyPair } from '../../../lib/crypto/key-pairs.ts'
import type { ClientMetadata } from '../../../lib/clients/client.ts'
import { credentialSets, type CredentialSetsOptions } from '../../../lib/credentials/credential-sets.ts'
import { verifyClientSecret } from '../../../lib/credentials/secrets/client-secret.ts'
import { DecisionBuilder } from '../../../lib/decisions/builder.ts'
import type { ServerEvent } from '../../../lib/events/events.ts'
import { memoryStore } from '../../../lib/stores/memory.ts'
import type { Store } from '../../../lib/stores/store.ts'
import { issuer } from './authorization-server.ts'
import { serverKeys } from '../keys/made-keys.ts'

export const keys = await serverKeys()
export const day = 86_400
export const publicKey = (kid?: string) => ({
  ...newKeyPair('P-256').publicKey.export({ format: 'jwk' }),
  ...(kid !== undefined && { kid })
})

export const metadata: ClientMetadata[] = [
  { client_id: 'billing', client_secret: 'the configured secret' },
  { client_id: 'keyed', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [publicKey('first')] } },
  { client_id: 'signing', token_endpoint_auth_method: 'client_secret_jwt', client_secret: 'x'.repeat(48) },
  { client_id: 'spa', token_endpoint_auth_method: 'none' }
]

export function made(options: Partial<CredentialSetsOptions> = {}) {
  const time = { now: 1_800_000_000_000 }
  const clock = () => time.now
  const store = options.store ?? memoryStore({ clock })
  const events: ServerEvent[] = []
  const sets = credentialSets({ issuer, clients: metadata, keys, clock, onEvent: event => events.push(event), ...options, store })
  const opens = async (client_id: string, secret: string, of = sets): Promise<string> => {
    const client = await of.clients.find(client_id)
    const decision = new DecisionBuilder('token')
    try {
      return (await verifyClientSecret(client, { presented: secret }, { clock, decision })).credential
    } catch (error) {
      return (error as Error).message
    }
  }
  const seconds = () => Math.floor(time.now / 1000)
  return { sets, store, time, clock, events, opens, seconds }
}

/** The same store; `told` hears of each call of one operation. */
export function watched(behind: Store, operation: keyof Store, told: (...given: unknown[]) => unknown): Store {
  return new Proxy(behind, {
    get(target, name: keyof Store) {
      return (...given: unknown[]): unknown => {
        if (name === operation) told(...given)
        return Reflect.apply(Reflect.get(target, name), target, given)
      }
    }
  })
}

export const refused = 'client authentication failed'
export const idsOf = async ({ sets }: ReturnType<typeof made>, client_id: string) =>
  (await sets.listCredentials(client_id)).map(({ id, state }) => `${id}: ${state}`)
