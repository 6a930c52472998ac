/**
 * One issuer: its authorization server, its people and its pages, mounted at its path. The root issuer and every tenant
 * are one each.
 */
import { Router, type RequestHandler } from 'express'
import {
  authorizationServer,
  ciba,
  ConfigurationError,
  deviceCode,
  type Decision,
  storedClients,
  type AuthorizationServer,
  type CertificateSource,
  type SecretHashes,
  type ServerEvent,
  type Store,
  type StoredClients
} from 'clientele'
import { accountPages } from './people/account.ts'
import { people, type People } from './people/accounts.ts'
import { cibaPages } from './people/ciba.ts'
import { isLoopback, knownMembersOf } from './config/clients.ts'
import { ConfigError, mustBeOf } from './config/config-error.ts'
import type { IssuerSettings, McpSettings } from './config/schema.ts'
import { secretHashesOf, type ImportModule } from './config/secret-hashes.ts'
import { documentOptions, mayGrant, policyOptions, resourcesOf } from './config/server-options.ts'
import { storeOfPages } from './store.ts'
import { settingPath } from './config/setting-path.ts'
import { keptDecisions, type KeptDecisions } from './decisions/kept.ts'
import { decisionPages } from './decisions/pages.ts'
import { clientPages } from './people/client-pages.ts'
import { demoPeople } from './demo/people.ts'
import type { Demo } from './demo/demo.ts'
import { devicePages } from './people/device.ts'
import { healthRoutes } from './health.ts'
import { home } from './home.ts'
import { interactionHooks, interactionPages, passwordLogin } from './people/interactions.ts'
import { issuerKeys, type IssuerKeys } from './keys.ts'
import { logDecision, logEvent, logFailure, type Log } from './log.ts'
import { logos } from './people/logos.ts'
import { logoutHooks, logoutPages } from './people/logout.ts'
import { mcpRoutes } from './mcp.ts'
import { sessions } from './sessions/sessions.ts'
import { pagesFolder } from './views.ts'
import { whoami } from './whoami.ts'

interface IssuerOptions {
  /** The issuer identifier. */
  readonly issuer: string
  /** Names the settings in errors: empty, or `tenants[0].`. */
  readonly settingsPath: string
  readonly settings: IssuerSettings
  /** The MCP server beside it, where there is one. */
  readonly mcp?: McpSettings | undefined
  readonly store: Store
  readonly log: Log
  /** Origin of the listener that asks for client certificates, where it is a second one. */
  readonly mtlsOrigin: string | undefined
  /** Whether the main listener asks for client certificates, or a proxy in front of it does. */
  readonly certificates: boolean
  /** Where they come from; undefined: the connections themselves. */
  readonly certificate: CertificateSource | undefined
  /** The built-in demo, where it is this issuer. */
  readonly demo?: Demo | undefined
  /** Whether the login page names its people and their passwords: those of a demo are no secret. */
  readonly showsPasswords: boolean
  /** Keeps what was decided about one authentication, for whoever asks why. */
  readonly keepDecision: (decision: Decision) => void
  /** Runs the modules that the settings name. */
  readonly load: ImportModule
  /** The usernames of those who may see what clients prove themselves with. */
  readonly operators: readonly string[]
}

/** What a server is made of beside its settings. */
interface Made {
  readonly keys: IssuerKeys
  readonly stored: StoredClients
  readonly kept: KeptDecisions
  readonly secretHashes: SecretHashes
}

/** Everything one issuer answers. @throws {@link ConfigError} when the library refuses a setting. */
export async function issuerRoutes(options: IssuerOptions): Promise<Router> {
  const { issuer, settings, store, mtlsOrigin } = options
  const path = new URL(issuer).pathname.replace(/\/$/, '')
  const mount = path === '' ? '/' : path
  const persons = people(settings.accounts)
  const keys = await issuerKeys(store, issuer, options.log)
  const ofPages = storeOfPages(store)
  const kept = keptDecisions(ofPages, issuer, options.log)
  const stored = storedClientsOf(options, keys)
  const secretHashes = await secretHashesOf(settings, options.settingsPath, options.load)
  const server = build(options, path, persons, { keys, stored, kept, secretHashes })
  const withSession = sessions(ofPages, issuer, path, keys.secretFor('forms and cookies'))
  const pictures = logos({
    base: path,
    secret: keys.secretFor('logo addresses'),
    allowLoopback: isLoopback(new URL(issuer).hostname)
  })
  const router = Router({ caseSensitive: true })
  // most servers are no demo, and need nothing of it
  const demo = options.demo && { ...(await import('./demo/site.ts')), site: { ...options.demo, issuer, base: path, mtlsOrigin } }
  if (demo !== undefined) router.use(demo.demoPublications(demo.site))
  if (options.showsPasswords) router.use(mount, demoPeople(settings))
  for (const file of ['style.css', 'icon.svg']) router.get(`${path}/assets/${file}`, asset(file))
  router.use(mount, healthRoutes(store))
  const contentDigest = settings.policy.dpop_content_digest === 'required'
  router.get(`${path}/api/whoami`, whoami(server, contentDigest))
  router.use(
    [
      ...['oauth2/authorize', 'oauth2/end_session', 'login', 'consent', 'device', 'ciba'].map(page => `${path}/${page}`),
      ...(demo === undefined ? [] : [`${path}/demo`])
    ],
    withSession
  )
  router.use(server)
  if (options.mcp !== undefined) router.use(mcpRoutes({ issuer, settings: options.mcp, server, store, contentDigest }))
  router.use(pictures.routes)
  router.use(mount, interactionPages({ base: path, server, people: persons, logos: pictures }))
  const { operators } = options
  router.use(clientPages({ base: path, server, people: persons, clients: settings.clients, stored, operators, withSession }))
  router.use(decisionPages({ base: path, server, people: persons, kept, operators, withSession }))
  router.use(accountPages({ base: path, server, people: persons, nameOf: clientNames(settings), withSession }))
  router.use(logoutPages({ base: path, server, people: persons, withSession }))
  if (mayGrant(settings, deviceCode())) router.use(mount, devicePages(issuer, server, persons))
  if (mayGrant(settings, ciba())) router.use(mount, cibaPages(path, server, persons))
  if (demo !== undefined) router.use(demo.demoSite(demo.site, { server, kept }))
  router.get(mount, withSession, home({ issuer, base: path, people: persons, demo: options.demo, operators }))
  return router
}

function clientNames({ clients }: IssuerSettings): (client_id: string) => string {
  const names = new Map(clients.map(({ client_id, client_name }) => [client_id, client_name]))
  return client_id => names.get(client_id) ?? client_id
}

function asset(file: string): RequestHandler {
  return (_req, res) => res.sendFile(file, { root: pagesFolder, maxAge: '1h' })
}

function build(
  options: IssuerOptions,
  path: string,
  persons: People,
  { keys, stored, kept, secretHashes }: Made
): AuthorizationServer {
  const { issuer, settings, store, log, mtlsOrigin, certificates, certificate, keepDecision } = options
  try {
    return authorizationServer({
      issuer,
      store,
      keys: keys.keys,
      pairwiseSecret: keys.secretFor('pairwise subjects'),
      clients: stored.clients,
      secretHashes,
      scopes: settings.scopes,
      resources: resourcesOf(settings, issuer, options.mcp),
      acrValues: [passwordLogin],
      credentials: { endpoint: settings.policy.credentials_endpoint },
      certificateMethods: certificates || mtlsOrigin !== undefined,
      certificateSource: certificate,
      ...(mtlsOrigin !== undefined && { mtlsOrigin }),
      ...policyOptions(settings, issuer, persons),
      ...documentOptions(settings, options.demo?.authorities),
      ...(settings.scopes.includes('openid') && { logout: logoutHooks(path) }),
      account: sub => persons.find(sub) !== undefined,
      claims: sub => persons.find(sub)?.claims,
      onDecision: decision => {
        logDecision(log, decision)
        keepDecision(decision)
      },
      onJudged: kept.keep,
      onError: (error, req) => logFailure(log, error, req, issuer),
      onEvent: event => logEvent(log, event),
      interaction: interactionHooks(path, persons)
    })
  } catch (error) {
    throw bySetting(error, options)
  }
}

/** Those of the file, and beside them what `clientele clients` adds while this runs. */
function storedClientsOf(options: IssuerOptions, { keys }: IssuerKeys): StoredClients {
  const { issuer, settings, store, log } = options
  const onEvent = (event: ServerEvent) => logEvent(log, event)
  try {
    return storedClients({ issuer, store, keys, clients: settings.clients.map(knownMembersOf), onEvent })
  } catch (error) {
    throw bySetting(error, options)
  }
}

/** Names a setting the library refuses by its place in the configuration file; leaves other errors as they are. */
function bySetting(error: unknown, { settingsPath }: IssuerOptions): unknown {
  if (!(error instanceof ConfigurationError)) return error
  return new ConfigError(`${settingsPath}${settingPath(error.key)}`, mustBeOf(error))
}
