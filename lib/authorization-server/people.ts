/** Whether a server has to do with people, and what stands for the application's pages where it does not. */
import type { Interaction } from '../endpoints/authorization/interaction.ts'
import { ServerError } from '../errors.ts'
import { ConfigurationError } from '../options.ts'
import { clientCredentials } from '../token-issuers/index.ts'
import { byGrantType, type TokenIssuer } from '../token-issuers/token-issuer.ts'
import { aboutPeople } from '../tokens/scope.ts'
import { interactionTakes, type ReadAuthorizationServer } from './options.ts'

/** Consequences for a server of having an `interaction`, or none. */
export interface People {
  readonly interaction: Interaction
  /** The grants; undefined: every one built in that needs no options. */
  readonly tokenIssuers: ReadonlyMap<string, TokenIssuer> | undefined
  /** Why a grant is not there that another option would bring. */
  readonly missing?: Readonly<Record<string, string>>
}

/**
 * Without an `interaction` a server is for clients that act for themselves: it has no authorization endpoint, and only
 * the grants that are listed, or client credentials.
 *
 * @throws ConfigurationError where there is none although something of the server asks for people.
 */
export function peopleOf({ interaction, tokenIssuers, logout, scopes }: ReadAuthorizationServer): People {
  if (interaction !== undefined) return { interaction, tokenIssuers }
  const grants = [...(tokenIssuers?.keys() ?? [client_credentials])]
  const personal = scopes.find(value => aboutPeople.includes(value))
  if (grants.includes(authorization_code)) throw needed('authorizationCode() is among tokenIssuers')
  if (logout !== undefined) throw needed('logout ends the sessions of people')
  if (personal !== undefined && grants.every(grant => grant === client_credentials))
    throw needed(`the scope value ${personal} is about people`)
  return {
    interaction: nobody,
    tokenIssuers: tokenIssuers ?? byGrantType([clientCredentials()]),
    missing: { [authorization_code]: 'needs the option interaction' }
  }
}

const authorization_code = 'authorization_code'
const client_credentials = 'client_credentials'

function needed(because: string): ConfigurationError {
  return new ConfigurationError('interaction', `must be ${interactionTakes}, as ${because}`)
}

const nobody: Interaction = {
  account: () => undefined,
  consented: () => false,
  prompt: () => {
    throw new ServerError({ reason: 'a person is needed, and this server was made without interaction' })
  }
}
