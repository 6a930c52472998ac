/** Basis of an operator's commands: one issuer's store, keys and clients, the same ones its servers have. */
import { userInfo } from 'node:os'
import {
  authorizationServer,
  ConfigurationError,
  CredentialError,
  credentialSets,
  OAuthError,
  storedClients,
  storedKeys,
  type AuthorizationServer,
  type ClientMetadata,
  type CredentialSets,
  type ServerEvent,
  type Store,
  type StoredClients,
  type StoredKeys
} from 'clientele'
import { loadConfig, type Config } from '../example-app/config/config.ts'
import { ConfigError, mustBeOf } from '../example-app/config/config-error.ts'
import type { IssuerSettings } from '../example-app/config/schema.ts'
import { settingsAt } from '../example-app/config/tenants.ts'
import { keepChange } from './changes.ts'
import { CommandError, type ExitCode, type Terminal } from './command.ts'
import { openSharedStore } from './store.ts'

/** Where the store is, and whose. */
export const storeOptions = {
  store: { type: 'string', placeholder: 'URL', help: 'the store of the servers; left out: STORE_URL' },
  config: { type: 'string', placeholder: 'FILE', help: 'their configuration file; left out: CONFIG' },
  issuer: { type: 'string', placeholder: 'URL', help: 'their issuer, where there is no configuration file' },
  tenant: { type: 'string', placeholder: 'PATH', help: 'a tenant, such as /acme/banking' },
  format: { type: 'string', values: ['table', 'json'], default: 'table', help: 'how it answers' }
} as const

/** The same, of commands that change something. */
export const changeOptions = {
  ...storeOptions,
  actor: { type: 'string', placeholder: 'NAME', help: 'who does it, for the event; left out: the user of this machine' }
} as const

interface Given {
  readonly terminal: Terminal
  readonly options: {
    readonly store: string | undefined
    readonly config: string | undefined
    readonly issuer: string | undefined
    readonly tenant: string | undefined
    readonly actor?: string | undefined
  }
}

export interface Operator {
  readonly issuer: string
  readonly store: Store
  /** The file's configuration; undefined where the issuer was named without a file. */
  readonly config: Config | undefined
  /** The clients of the file. */
  readonly configured: readonly ClientMetadata[]
  /** The people of the file. */
  readonly accounts: IssuerSettings['accounts']
  /** What the file says of this issuer. */
  readonly settings: IssuerSettings | undefined
  /** The policy of the file. */
  readonly policy: IssuerSettings['policy'] | undefined
  readonly keys: StoredKeys
  readonly stored: StoredClients
  readonly credentials: CredentialSets
  /** A server like those that run, for what only a server can do. */
  readonly server: () => AuthorizationServer
  /** Tells of a change. */
  readonly emit: (event: ServerEvent) => void
}

/**
 * Opens the store, runs, tells of every change with its actor, and closes the store. @throws {@link CommandError} for
 * whatever went wrong.
 */
export async function withOperator(given: Given, run: (operator: Operator) => Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await opened(given, run)
  } catch (error) {
    throw commandErrorOf(error)
  }
}

async function opened(given: Given, run: (operator: Operator) => Promise<ExitCode>): Promise<ExitCode> {
  const { terminal, options } = given
  const { issuer, ...file } = whose(given)
  const store = await openSharedStore(options.store, terminal)
  const { KEYS_SECRET: secret = '', KEYS_SECRET_PREVIOUS: previous = '' } = terminal.env
  const events: ServerEvent[] = []
  const onEvent = (event: ServerEvent) => void events.push(event)
  let keys: StoredKeys | undefined
  try {
    keys = await storedKeys({
      ...{ store, issuer },
      ...(secret !== '' && { secret }),
      ...(previous !== '' && { previousSecrets: [previous] })
    })
    const shared = { issuer, store, keys }
    const stored = storedClients({ ...shared, clients: file.configured, maxAge: 0, onEvent })
    const credentials = credentialSets({ ...shared, clients: stored.clients, maxAge: 0, onEvent })
    const server = () => authorizationServer({ ...shared, clients: [], registration: { access: 'open' }, onEvent })
    return await run({ ...shared, ...file, stored, credentials, server, emit: onEvent })
  } finally {
    const actor = options.actor ?? userInfo().username
    // told even where a later step failed: what was done was done
    for (const event of events) await keepChange({ store, issuer, terminal }, { ...event, actor })
    keys?.close()
    await store.close()
  }
}

type OfFile = Pick<Operator, 'issuer' | 'config' | 'configured' | 'accounts' | 'settings' | 'policy'>

function whose({ options, terminal }: Given): OfFile {
  const file = options.config ?? (options.issuer === undefined ? (terminal.env['CONFIG'] ?? '') : '')
  const { tenant } = options
  if (file === '') {
    if (options.issuer === undefined)
      throw new CommandError('--config or --issuer must say whose store it is (or CONFIG in the environment)')
    const nothing = { config: undefined, configured: [], accounts: [], settings: undefined, policy: undefined }
    return { issuer: options.issuer + (tenant ?? ''), ...nothing }
  }
  if (options.issuer !== undefined) throw new CommandError('--issuer must be left out where --config is given')
  const config = loadConfig(file)
  const { settings } = config
  const own = settingsAt(settings, tenant)
  const { clients: configured, accounts, policy } = own
  return {
    issuer: settings.issuer + (tenant ?? ''),
    config,
    configured: configured as readonly ClientMetadata[],
    accounts,
    settings: own,
    policy
  }
}

function commandErrorOf(error: unknown): unknown {
  if (error instanceof ConfigError) return new CommandError(error.message)
  if (error instanceof CredentialError) return new CommandError(error.message, 1)
  if (error instanceof ConfigurationError) {
    const name = error.key === 'url' ? '--store' : error.key === 'secret' ? 'KEYS_SECRET' : error.key.replace(/^client\./, '')
    return new CommandError(`${name} ${mustBeOf(error)}`)
  }
  // what stores reject with says no more than that, and may quote an address
  if (error instanceof OAuthError) return new CommandError('the store does not answer')
  return error
}
