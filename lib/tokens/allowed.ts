/** Limits that a client and the server set now. Nothing is issued beyond them, whatever was granted before. */
import type { Client } from '../clients/client.ts'
import { clientOrigin } from '../clients/client-origin.ts'
import { InvalidScopeError } from '../errors.ts'
import type { Grant } from './grant.ts'
import { parseScope, scopeBeyond } from './scope.ts'
import type { TokenServer } from './token-server.ts'

/** By the scope values of a server, and the client: neither ever changes. */
const known = new WeakMap<readonly string[], WeakMap<Client, readonly string[]>>()

/** The scope a client registered, as far as the server has it; all there is where it registered none. */
export function registeredScope({ scopes }: Pick<TokenServer, 'scopes'>, client: Client): readonly string[] {
  if (client.scope === undefined) return scopes
  let ofServer = known.get(scopes)
  if (ofServer === undefined) known.set(scopes, (ofServer = new WeakMap()))
  let registered = ofServer.get(client)
  if (registered === undefined) {
    registered = (parseScope(client.scope) ?? []).filter(value => scopes.includes(value))
    ofServer.set(client, registered)
  }
  return registered
}

/**
 * The scope values a client may have: what it registered, and those that no client nobody configured has to register.
 */
export function allowedScope(server: Pick<TokenServer, 'scopes' | 'openScopes'>, client: Client): readonly string[] {
  const registered = registeredScope(server, client)
  const { openScopes = [] } = server
  if (client.scope === undefined || openScopes.length === 0 || clientOrigin(client) === 'configured') return registered
  return [...new Set([...registered, ...openScopes])]
}

/** Narrows a grant to what is left of it: scope, and authorization details of types the client may still ask for. */
export function stillAllowed(server: Pick<TokenServer, 'scopes' | 'openScopes'>, client: Client, grant: Grant): Grant {
  const { authorization_details: details } = grant
  const types = details === undefined ? undefined : client.authorization_details_types
  const scope = within(grant.scope, allowedScope(server, client))
  const left = types === undefined ? details : details?.filter(({ type }) => types.includes(type))
  if (scope === grant.scope && left?.length === details?.length) return grant
  return { ...grant, scope, authorization_details: left?.length === 0 ? undefined : left }
}

/** The same list where nothing is left out of it: most requests need no other. */
function within(scope: readonly string[], allowed: readonly string[]): readonly string[] {
  return scope.every(value => allowed.includes(value)) ? scope : scope.filter(value => allowed.includes(value))
}

/**
 * The scope a client asks for of a grant; all of it where it asks for nothing.
 *
 * @param left what client and server still allow of the grant.
 * @throws InvalidScopeError for a value beyond it.
 */
export function askedOf(left: Pick<Grant, 'scope'>, asked: readonly string[] | undefined): readonly string[] {
  if (asked === undefined) return left.scope
  const beyond = scopeBeyond(asked, left.scope)
  if (beyond.length === 0) return asked
  throw new InvalidScopeError('scope is beyond what was granted', {
    reason: `never granted, or taken from the client or the server since: ${beyond.join(' ')}`
  })
}

/** Whether a client may have, and use, refresh tokens of a grant. */
export function mayRefresh(
  server: Pick<TokenServer, 'scopes' | 'openScopes' | 'refreshTokens'> & Partial<Pick<TokenServer, 'resources'>>,
  client: Client,
  { scope, resources }: Pick<Grant, 'scope' | 'resources'>
): boolean {
  if (!client.grant_types.includes('refresh_token')) return false
  if (server.refreshTokens === 'registered' || server.resources?.areRefreshed({ scope, resources }) === true) return true
  return scope.includes('offline_access') && allowedScope(server, client).includes('offline_access')
}
