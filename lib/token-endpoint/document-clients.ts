/** The option `clientDocuments` of a server, and what follows for it from the other options. */
import { wasConsented } from '../clients/documents/consented.ts'
import { documentClients, type DocumentClients } from '../clients/documents/document-clients.ts'
import type { ClientRegistry } from '../clients/client.ts'
import { printable } from '../printable.ts'
import type { EventSource } from '../events/event-source.ts'
import { ConfigurationError, isOnLoopback } from '../options.ts'
import { dnsLookup } from '../outbound/dns-lookup.ts'
import { guardedFetch } from '../outbound/guarded-fetch.ts'
import { policyOf } from '../profiles.ts'
import type { TokenServer } from '../tokens/token-server.ts'
import type { ReadTokenRouter } from './options.ts'

/** The clients of the server and those with documents; undefined where there are none of those. */
export function documentClientsOf(
  { clientDocuments: policy, strategies, profile }: Pick<ReadTokenRouter, 'clientDocuments' | 'strategies' | 'profile'>,
  parts: {
    readonly clients: ClientRegistry
    readonly server: TokenServer
    readonly events: EventSource
  }
): DocumentClients | undefined {
  if (policy === undefined) return undefined
  if (strategies !== undefined)
    throw new ConfigurationError(
      'clientDocuments',
      'must be left out with strategies of your own: they would know none of these clients'
    )
  const { maxBytes, timeout, ca, redirectUris } = policy
  const { methods, clientProblems } = policyOf(profile)
  const loopback = isOnLoopback(parts.server.issuer)
  return documentClients(parts.clients, {
    policy,
    fetchJson: guardedFetch({
      ...{ allowLoopback: loopback, accept: 'application/json', maxBytes, timeout, ca },
      lookup: dnsLookup(timeout)
    }),
    wasConsented: client_id => wasConsented(parts.server.store, client_id),
    clock: parts.server.clock,
    tell: ({ client_id, ...happening }) => parts.events.emit?.({ ...happening, client_id: printable(client_id) }),
    rules: () => ({
      redirectUris,
      loopback,
      offered: { signingAlgorithms: parts.server.idTokenAlgorithms },
      publicClients: methods?.includes('none') !== false,
      profileProblems: metadata => clientProblems(metadata, '')
    })
  })
}
