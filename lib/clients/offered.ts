/**
 * Clients held against what a server has: a client that registered what is not there is told at start, not by failing
 * requests.
 */
import type { Client, ClientMetadata, ClientRegistry } from './client.ts'
import { toClient } from './client.ts'
import { isPublicMethod } from './methods.ts'
import { clientOrigin } from './client-origin.ts'
import { whyUnsupported } from '../crypto/ml-dsa.ts'
import { ConfigurationError } from '../options.ts'
import { clientMetadata, type MetadataMember, type OfferedValues } from './metadata/metadata.ts'
import type { Fail } from './metadata/kinds.ts'

/** Values that a server has; members whose list it leaves out are not looked at. */
export type Offered = Readonly<Partial<Record<OfferedValues, readonly string[]>>> & {
  /** The grants that public clients must not use. */
  readonly confidentialGrantTypes?: readonly string[]
  /** Why a value is not there, where another option would bring it. */
  readonly missing?: Readonly<Record<string, string>> | undefined
  /** Rules for configured clients, of whoever knows more of methods, keys and certificates than is known here. */
  readonly rules?: readonly ClientRule[]
}

/** Rule for a configured client: calls `fail` with the member that is wrong, and what it must be. */
export type ClientRule = (client: Client, fail: Fail) => void

type Held = Pick<Client, 'grant_types' | 'redirect_uris' | 'token_endpoint_auth_method'>

/** Calls `fail` with the first member whose value the server does not have. */
export function checkOffered(client: Held, offered: Offered, fail: Fail): void {
  for (const [name, member] of Object.entries<MetadataMember>(clientMetadata)) {
    const choice = member.offered === undefined ? undefined : offered[member.offered]
    if (choice === undefined || (member.grant !== undefined && !client.grant_types.includes(member.grant))) continue
    const value: unknown = (client as unknown as Readonly<Record<string, unknown>>)[name]
    if (Array.isArray(value)) {
      value.forEach((one: unknown, index) => {
        if (!isDefaultGrant(client, one)) checkOne(one, `${name}[${index}]`, choice, because(offered, one, fail))
      })
    } else if (value !== undefined) checkOne(value, name, choice, fail)
  }
  checkPublicGrants(client, offered.confidentialGrantTypes ?? [], fail)
}

/** The grant of a client that named none. One that named it has a redirect URI. */
function isDefaultGrant({ redirect_uris }: Held, value: unknown): boolean {
  return value === 'authorization_code' && redirect_uris.length === 0
}

/** Says why a value is not there, where that is known. */
function because({ missing }: Offered, value: unknown, fail: Fail): Fail {
  const why = missing?.[String(value)]
  return why === undefined ? fail : (name, mustBe) => fail(name, `${mustBe}: ${String(value)} ${why}`)
}

function checkOne(value: unknown, name: string, choice: readonly string[], fail: Fail): void {
  if (choice.includes(value as string)) return
  const why = whyUnsupported(value)
  const reason = why === undefined ? '' : `: ${String(value)} ${why}`
  fail(name, choice.length === 0 ? 'must be left out: this server has none' : `must be one of ${choice.join(', ')}${reason}`)
}

/** Grants that nobody but the client itself has a part in are for clients that prove who they are. */
export function checkPublicGrants(
  { token_endpoint_auth_method: method, grant_types }: Held,
  confidentialGrantTypes: readonly string[],
  fail: Fail
): void {
  if (!isPublicMethod(method)) return
  const position = grant_types.findIndex(grant_type => confidentialGrantTypes.includes(grant_type))
  if (position !== -1)
    fail(`grant_types[${position}]`, `is for clients that authenticate: token_endpoint_auth_method must not be ${method}`)
}

function checkConfigured(client: Client, offered: Offered, fail: Fail): void {
  checkOffered(client, offered, fail)
  for (const rule of offered.rules ?? []) rule(client, fail)
}

/** Holds every client of a list against what the server has. @throws ConfigurationError naming the client's member. */
export function checkOfferedClients(clients: unknown, offered: Offered): void {
  if (!Array.isArray(clients)) return
  ;(clients as readonly ClientMetadata[]).forEach((metadata, index) => {
    const path = `clients[${index}]`
    const fail: Fail = (member, mustBe) => {
      throw new ConfigurationError(`${path}.${member}`, mustBe)
    }
    checkConfigured(toClient(metadata, path), offered, fail)
    const { methods } = offered
    metadata.credentials?.forEach((credential, position) => {
      if (credential.type === 'method' && methods !== undefined)
        checkOne(credential.method, `credentials[${position}].method`, methods, fail)
    })
  })
}

/**
 * The clients of a function, those left out that registered what the server does not have. Each client is judged once
 * for as long as it is the same object.
 *
 * @param offered asked when the first client comes: by then the server is made.
 * @param tell told of each that is left out.
 */
export function offeredClients(
  clients: ClientRegistry,
  offered: () => Offered,
  tell: (client_id: string, error: ConfigurationError) => void
): ClientRegistry {
  const verdicts = new WeakMap<Client, ConfigurationError | true>()
  // one that registered itself was judged then
  const judge = (client: Client): ConfigurationError | true => {
    const verdict = clientOrigin(client) === 'configured' ? problemOf(client, offered()) : true
    verdicts.set(client, verdict)
    return verdict
  }
  return {
    ...clients,
    async find(client_id) {
      const client = await clients.find(client_id)
      if (client === undefined) return undefined
      const verdict = verdicts.get(client) ?? judge(client)
      if (verdict === true) return client
      tell(client_id, verdict)
      return undefined
    }
  }
}

function problemOf(client: Client, offered: Offered): ConfigurationError | true {
  try {
    checkConfigured(client, offered, (member, mustBe) => {
      throw new ConfigurationError(`client.${member}`, mustBe)
    })
    return true
  } catch (error) {
    if (error instanceof ConfigurationError) return error
    throw error
  }
}
