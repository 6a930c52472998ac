/** Claims about people: which there are, and which of them a scope value or a `claims` parameter gives (OpenID Connect Core §5). */
import type { Client } from '../client.ts'
import { parseScope } from '../tokens/scope.ts'

/** Which claims a scope value stands for (OpenID Connect Core §5.4). */
export const claimsOfScope: Readonly<Record<string, readonly string[]>> = {
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

/** The claims a client can ask for one by one: those of the scope values it may have, so that `claims` is no way around its scope. */
export function claimsWithinReach(scopes: readonly string[], client: Pick<Client, 'scope'>): readonly string[] {
  const registered = client.scope === undefined ? undefined : (parseScope(client.scope) ?? [])
  return claimsOf(registered === undefined ? scopes : scopes.filter(value => registered.includes(value)))
}
