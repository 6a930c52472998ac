/** `clients list`: those of the configuration file and those of the store. */
import type { ClientMetadata } from 'clientele'
import { answer } from '../answer.ts'
import { command } from '../command.ts'
import { storeOptions, withOperator, type Operator } from '../operator.ts'

interface ListedClient {
  readonly client_id: string
  readonly client_name: string | undefined
  readonly token_endpoint_auth_method: string
  readonly grant_types: readonly string[]
  readonly source: 'configured' | 'store'
  readonly disabled: boolean
}

/** Every client that can be listed: those that registered themselves cannot. */
async function listedClients({ configured, stored }: Operator): Promise<readonly ListedClient[]> {
  const kept = await stored.list()
  const disabled = new Set(kept.filter(client => client.disabled).map(({ client_id }) => client_id))
  const listed = (metadata: ClientMetadata, source: ListedClient['source']): ListedClient => ({
    client_id: metadata.client_id,
    client_name: metadata.client_name ?? undefined,
    token_endpoint_auth_method: metadata.token_endpoint_auth_method ?? 'client_secret_basic',
    grant_types: metadata.grant_types ?? ['authorization_code'],
    source,
    disabled: disabled.has(metadata.client_id)
  })
  return [
    ...configured.map(metadata => listed(metadata, 'configured')),
    ...kept.flatMap(({ metadata }) => (metadata === undefined ? [] : [listed(metadata, 'store')]))
  ]
}

export const listClients = command({
  arguments: [],
  options: storeOptions,
  description: `Lists the clients of the configuration file and those that were added to the store. Clients that registered themselves, and
those described by documents of their own, are not listed.`,
  run: ({ options, terminal }) =>
    withOperator({ options, terminal }, async operator => {
      const clients = await listedClients(operator)
      const rows = clients.map(client => ({
        client_id: client.client_id,
        name: client.client_name ?? '',
        method: client.token_endpoint_auth_method,
        grants: client.grant_types.map(grant => grant.replace(/^urn:.*:/, '')).join(' '),
        source: client.source,
        state: client.disabled ? 'disabled' : 'active'
      }))
      answer(terminal, options.format, { clients }, rows, 'There is no client.')
      return 0
    })
})
