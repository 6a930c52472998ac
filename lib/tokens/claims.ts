/**
 * Claims about people: which there are, and which of them a scope value or a `claims` parameter gives (OpenID Connect
 * Core §5).
 */
import type { Client } from '../clients/client.ts'
import { isJsonObject } from '../json.ts'
import type { AccountClaims } from './grant.ts'
import { parseScope } from './scope.ts'
import type { TokenServer } from './token-server.ts'

/** Which claims a scope value stands for (OpenID Connect Core §5.4). */
const claimsOfScope: Readonly<Record<string, readonly string[]>> = {
  profile: [
    'name',
    'family_name',
    'given_name',
    'middle_name',
    'nickname',
    'preferred_username',
    'profile',
    'picture',
    'website',
    'gender',
    'birthdate',
    'zoneinfo',
    'locale',
    'updated_at'
  ],
  email: ['email', 'email_verified'],
  address: ['address'],
  phone: ['phone_number', 'phone_number_verified']
}

/** The claims that scope values give. */
export function claimsOf(scope: readonly string[]): readonly string[] {
  return scope.flatMap(value => claimsOfScope[value] ?? [])
}

/**
 * The claims a client can ask for one by one: those of the scope values it may have, so that `claims` is no way around
 * its scope.
 */
export function claimsWithinReach(scopes: readonly string[], client: Pick<Client, 'scope'>): readonly string[] {
  const registered = client.scope === undefined ? undefined : (parseScope(client.scope) ?? [])
  return claimsOf(registered === undefined ? scopes : scopes.filter(value => registered.includes(value)))
}

/** The claims that are wanted of a person's. */
interface WantedClaims {
  /** All claims of these scope values. */
  readonly scope: readonly string[]
  /** Those asked for one by one; of them only what is within the client's reach now. */
  readonly claims?: readonly string[] | undefined
}

/** The claims that are wanted, as far as they are known and have a value (OpenID Connect Core §5.3.2). */
export async function readClaims(
  server: TokenServer,
  client: Client,
  sub: string,
  { scope, claims }: WantedClaims
): Promise<AccountClaims> {
  const reach = claims === undefined ? [] : claimsWithinReach(server.scopes, client)
  const wanted = new Set([...claimsOf(scope), ...(claims ?? []).filter(name => reach.includes(name))])
  if (wanted.size === 0) return {}
  const known = (await server.claims?.(sub)) ?? {}
  return Object.fromEntries(
    [...wanted].flatMap(name => {
      const value = valued(known[name])
      return value === undefined ? [] : [[name, value]]
    })
  )
}

/**
 * A claim without what has no value: null, an empty string, an object in which nothing is left. Undefined where that is
 * all of it.
 */
function valued(claim: unknown): unknown {
  if (claim === null || claim === '') return undefined
  if (!isJsonObject(claim)) return claim
  const members = Object.entries(claim).flatMap(([name, member]): [string, unknown][] => {
    const value = valued(member)
    return value === undefined ? [] : [[name, value]]
  })
  return members.length === 0 ? undefined : Object.fromEntries(members)
}
