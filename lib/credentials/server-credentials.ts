/** The credential sets of a whole server: the application's own, where it made some, or the server's. */
import type { ClientRegistry, ClientSource } from '../clients/client.ts'
import { credentialSetsOf, maxAgeCheck, openCredentialSets, type CredentialSets } from './credential-sets.ts'
import { ConfigurationError, flag, type Checks, type Read } from '../options.ts'
import type { TokenServer } from '../tokens/token-server.ts'

/** The options by which a server's credentials can be changed while it runs. */
export interface CredentialsOptions {
  /**
   * True: a confidential client that authenticates at `{issuer}/oauth2/credentials` may list, rotate and end its own
   * credentials. Default false. The address is in no metadata: there is no registered member for it.
   */
  readonly endpoint?: boolean | undefined
  /**
   * Seconds until this process sees what another one changed. Default 5; 0: at once, at a store operation per request.
   */
  readonly maxAge?: number | undefined
}

export const credentialsChecks = {
  endpoint: flag(false),
  maxAge: maxAgeCheck
} satisfies Checks<CredentialsOptions>

/** The sets of a server, and how its parts get their clients from them. */
interface ServerCredentials {
  /** The clients as they were given, without what is kept of their credentials. */
  readonly given: ClientSource | ClientRegistry
  readonly endpoint: boolean
  /**
   * Opens the sets over what finds the server's clients; what it returns finds them with everything they may prove
   * themselves with.
   */
  readonly open: (server: TokenServer, clients: ClientRegistry) => ClientRegistry
  /** The sets, once they are open. `methods` are the ones the server accepts. */
  readonly sets: (methods: readonly string[]) => CredentialSets
}

/** @throws ConfigurationError naming the option that is wrong. */
export function serverCredentials({
  credentials: { endpoint, maxAge },
  ...given
}: {
  readonly issuer: string
  readonly clients: ClientSource | ClientRegistry
  readonly strategies?: readonly object[] | undefined
  readonly credentials: Read<typeof credentialsChecks>
}): ServerCredentials {
  const known = credentialSetsOf(given.clients)
  if (known !== undefined) {
    if (known.issuer !== given.issuer)
      throw new ConfigurationError('clients', `must not be those of credentialSets() of ${known.issuer}: each issuer has its own`)
    return { given: known.given, endpoint, open: () => known.sets.clients, sets: () => known.sets }
  }
  // strategies look clients up where they were told to, and would find nothing that is added here
  const unusable =
    given.strategies === undefined
      ? undefined
      : 'must be the clients of credentialSets(), and the strategies made with them, where credentials are to change'
  if (endpoint && unusable !== undefined) throw new ConfigurationError('clients', unusable)
  return ownCredentials(given.clients, { endpoint, maxAge, unusable })
}

function ownCredentials(
  given: ClientSource | ClientRegistry,
  { endpoint, maxAge, unusable }: { readonly endpoint: boolean; readonly maxAge: number; readonly unusable: string | undefined }
): ServerCredentials {
  let sets: CredentialSets | undefined
  let accepted: readonly string[] = []
  return {
    given,
    endpoint,
    open(server, clients) {
      const { issuer, store, clock, random, keys } = server
      sets = openCredentialSets({
        issuer,
        store,
        clock,
        random,
        mac: (purpose, data) => keys.mac(purpose, data),
        clients,
        methods: () => accepted,
        maxAge,
        emit: event => server.emit?.(event),
        unusable
      })
      return unusable === undefined ? sets.clients : clients
    },
    sets(methods) {
      accepted = methods
      if (sets === undefined) throw new TypeError('the credential sets are not open yet')
      return sets
    }
  }
}
