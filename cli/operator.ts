/** Basis of an operator's commands: one issuer's store, keys and clients, the same ones its servers have. */
import { existsSync } from 'node:fs'
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
import { openStore, readStoreAddress } from 'clientele/stores/open'
import { loadConfig, type Config } from '../example-app/config/config.ts'
import { ConfigError } from '../example-app/config/config-error.ts'
import type { IssuerSettings } from '../example-app/config/schema.ts'
import { keepChange } from './changes.ts'
import { CommandError, type ExitCode, type Terminal } from './command.ts'

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
  const store = await openSharedStore(options.store ?? terminal.env['STORE_URL'] ?? '')
  const events: ServerEvent[] = []
  const onEvent = (event: ServerEvent) => void events.push(event)
  let keys: StoredKeys | undefined
  try {
    keys = await keysOf(store, issuer, terminal)
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

/** The keys of an issuer's servers. */
export function keysOf(store: Store, issuer: string, { env }: Pick<Terminal, 'env'>): Promise<StoredKeys> {
  const { KEYS_SECRET: secret = '', KEYS_SECRET_PREVIOUS: previous = '' } = env
  return storedKeys({
    ...{ store, issuer },
    ...(secret !== '' && { secret }),
    ...(previous !== '' && { previousSecrets: [previous] })
  })
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
  const own = tenant === undefined ? settings : settings.tenants.find(({ path }) => path === tenant)
  if (own === undefined) throw new CommandError('--tenant must be the path of a tenant in the configuration file')
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

/** @throws {@link CommandError} for a store that this command would have for itself. */
export async function openSharedStore(given: string): Promise<Store> {
  const url = given === '' ? 'sqlite:data/clientele.db' : given
  const { engine, address } = readStoreAddress(url)
  if (engine === 'memory') throw new CommandError('--store must be a store that servers can share with this command')
  if (engine === 'sqlite' && !existsSync(address))
    throw new CommandError(`--store must name a database file that is there (${address} is not)`)
  return openStore(url)
}

const settings: Readonly<Record<string, string | undefined>> = {
  url: '--store',
  secret: 'KEYS_SECRET',
  'previousSecrets[0]': 'KEYS_SECRET_PREVIOUS'
}

/** The setting of a command that is wrong; undefined where it is something else. */
export function settingOf({ key }: ConfigurationError): string | undefined {
  return settings[key]
}

/** What must be different, in the words of a command. */
export function mustBeOf({ key, message }: ConfigurationError): string {
  return message.slice(key.length).trim().replace('name it in previousSecrets', 'name it in KEYS_SECRET_PREVIOUS')
}

function commandErrorOf(error: unknown): unknown {
  if (error instanceof ConfigError) return new CommandError(error.message)
  if (error instanceof CredentialError) return new CommandError(error.message, 1)
  if (error instanceof ConfigurationError) {
    const name = settingOf(error) ?? error.key.replace(/^client\./, '')
    return new CommandError(`${name} ${mustBeOf(error)}`)
  }
  // what stores reject with says no more than that, and may quote an address
  if (error instanceof OAuthError) return new CommandError('the store does not answer')
  return error
}
