/**
 * Reads the configuration: environment, file, defaults. Whatever is wrong is one {@link ConfigError} naming the
 * setting.
 */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { unknownMembers } from 'clientele'
import type { z } from 'zod'
import { withTrustAnchors } from './attesters.ts'
import { checkWorkloads } from './workloads.ts'
import { membersToEncode, isLoopback, jwksUriMustBe, logoutUriMustBe } from './clients.ts'
import type { DemoMaterial } from '../demo/material.ts'
import { ConfigError } from './config-error.ts'
import { pathOf } from './mistakes.ts'
import { registrationWarnings } from './registration.ts'
import { withSecretHashes } from './secret-hashes.ts'
import { configSchema, type IssuerSettings, type Settings } from './schema.ts'
import { checkMcpPath, checkTenantPaths, issuersIn } from './tenants.ts'
import { readTlsFiles, type TlsFiles } from './tls.ts'

export interface Config {
  readonly settings: Settings
  /** The issuer as a URL: the listener's scheme and port, and the mount point. */
  readonly issuer: URL
  readonly tls: TlsFiles | undefined
  /** Warnings about settings that are accepted and may be mistakes; logged once at start. */
  readonly warnings: readonly string[]
  /** Material of the demo; undefined for a server that is none. */
  readonly demo?: DemoMaterial | undefined
}

/** Reads and checks the file at `path`. @throws {@link ConfigError} */
export function loadConfig(path: string): Config {
  return checkConfig(readJson(path), folderOf(path))
}

/** Finds the folder that paths in the file at `path` are relative to. */
export function folderOf(path: string): string {
  return dirname(resolve(path))
}

/** Checks settings; paths in them are relative to `folder`. @throws {@link ConfigError} */
export function checkConfig(input: unknown, folder: string): Config {
  const settings = withSecretHashes(withTrustAnchors(parseSettings(input), folder), folder)
  const issuer = readIssuer(settings.issuer)
  const tenantPaths = settings.tenants.map(({ path }) => path)
  checkTenantPaths(tenantPaths)
  checkMcpPath(settings.mcp?.path, tenantPaths)
  checkTlsUse(settings, issuer)
  const warnings = [...proxyWarnings(settings)]
  for (const { prefix, own } of issuersIn(settings)) {
    checkPeople(own, prefix)
    checkSubjects(own, prefix)
    checkClients(own, prefix, issuer)
    warnings.push(...clientWarnings(own, prefix), ...introspectionWarnings(own, prefix), ...registrationWarnings(own, prefix))
  }
  return { settings, issuer, tls: settings.tls === undefined ? undefined : readTlsFiles(settings.tls, folder), warnings }
}

/**
 * Settings as the file's schema has them, with their defaults. @throws {@link ConfigError} naming the first that is
 * wrong.
 */
export function parseSettings(input: unknown): Settings {
  const parsed = configSchema.safeParse(input)
  if (!parsed.success) throw errorOf(parsed.error.issues[0])
  return parsed.data
}

/** Reads the file, whatever it says. @throws {@link ConfigError} */
export function readJson(path: string): unknown {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw new ConfigError('CONFIG', `must be the path of a readable file (${path} is not)`)
  }
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    // the parser's own words quote the file, which holds secrets
    const position = error instanceof Error ? /at position (\d+)/.exec(error.message)?.[1] : undefined
    const line = position === undefined ? '' : `, line ${text.slice(0, Number(position)).split('\n').length}`
    throw new ConfigError('CONFIG', `must be the path of a JSON file (${path} is not JSON${line})`)
  }
}

/** The issuer identifier, written the way clients will compare it (RFC 8414 §2). */
function readIssuer(issuer: string): URL {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    throw new ConfigError('issuer', 'must be an absolute http or https URL')
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    throw new ConfigError('issuer', 'must be https (http only on localhost, 127.0.0.1 or [::1])')
  if (/[?#]/.test(issuer) || url.username !== '' || url.password !== '')
    throw new ConfigError('issuer', 'must have no query, fragment or user info')
  if (issuer.endsWith('/')) throw new ConfigError('issuer', 'must not end in a slash')
  if (url.href.replace(/\/$/, '') !== issuer)
    throw new ConfigError('issuer', `must be written in its normal form, ${url.href.replace(/\/$/, '')}`)
  if (url.port === '0') throw new ConfigError('issuer', 'must have a port that clients can come to, and 0 is none')
  if (url.pathname !== '/' && !/^(?:\/[A-Za-z0-9._~-]+)+$/.test(url.pathname)) {
    throw new ConfigError('issuer', 'must have a path of letters, digits, dots, hyphens, underscores and tildes only')
  }
  return url
}

function checkTlsUse(settings: Settings, issuer: URL): void {
  const { tls, listen } = settings
  if (tls === undefined) {
    if (issuer.protocol === 'https:' && listen === undefined)
      throw new ConfigError('tls', 'must be given when the issuer is https, or listen, where a proxy in front ends TLS')
    return
  }
  if (tls.port === undefined && issuer.protocol === 'http:')
    throw new ConfigError('tls.port', 'must be given when the issuer is http')
  if (tls.port === (listen?.port ?? portOf(issuer)))
    throw new ConfigError('tls.port', `must differ from ${listen?.port === undefined ? "the issuer's port" : 'listen.port'}`)
}

/** Behind a proxy every caller comes from one address, the proxy's, until it is trusted to say which. */
function proxyWarnings({ issuer, tls, listen, trust_proxy }: Settings): readonly string[] {
  const behindProxy = listen !== undefined && tls === undefined && issuer.startsWith('https:')
  if (!behindProxy || trust_proxy.length > 0) return []
  return ['trust_proxy names no proxy: whoever comes through one counts as one network, and shares its limits with all others']
}

/** The port an address stands for, its scheme's default too. */
export function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port)
  return url.protocol === 'https:' ? 443 : 80
}

function checkPeople({ accounts }: IssuerSettings, prefix: string): void {
  for (const member of ['sub', 'username'] as const) {
    const seen = new Set<string>()
    accounts.forEach((account, index) => {
      if (seen.has(account[member]))
        throw new ConfigError(`${prefix}accounts[${index}].${member}`, 'must not be that of another account')
      seen.add(account[member])
    })
  }
}

/**
 * RFC 9068 §5: `sub` is the client in the tokens a client gets for itself, and APIs that read `sub` alone must not find
 * a person there.
 */
function checkSubjects({ clients, accounts }: IssuerSettings, prefix: string): void {
  const people = new Set(accounts.map(({ sub }) => sub))
  const index = clients.findIndex(({ client_id }) => people.has(client_id))
  if (index !== -1)
    throw new ConfigError(
      `${prefix}clients[${index}].client_id`,
      'must not be the sub of an account: its tokens could be taken for theirs'
    )
}

function checkClients({ clients, trusted_issuers, ...workloads }: IssuerSettings, prefix: string, issuer: URL): void {
  for (const [name, holders] of [
    ['clients', clients],
    ['trusted_issuers', trusted_issuers]
  ] as const) {
    holders.forEach(({ jwks_uri }, index) => {
      const mustBe = jwks_uri === undefined ? undefined : jwksUriMustBe(jwks_uri, issuer)
      if (mustBe !== undefined) throw new ConfigError(`${prefix}${name}[${index}].jwks_uri`, mustBe)
    })
  }
  checkWorkloads(workloads, prefix, issuer)
  clients.forEach(({ backchannel_logout_uri: uri }, index) => {
    const mustBe = uri === undefined ? undefined : logoutUriMustBe(uri, issuer)
    if (mustBe !== undefined) throw new ConfigError(`${prefix}clients[${index}].backchannel_logout_uri`, mustBe)
  })
}

function clientWarnings({ clients }: IssuerSettings, prefix: string): string[] {
  return clients.flatMap((client, index) => {
    const path = `${prefix}clients[${index}]`
    const unknown = unknownMembers(client).map(({ member, meant }) => {
      if (meant === undefined) return `${path}.${member} is not known and has no effect`
      throw new ConfigError(`${path}.${member}`, `must be named ${meant}: client metadata has no such member`)
    })
    const encoded = membersToEncode(client).map(
      member =>
        `${path}.${member} must be form-encoded in Basic (RFC 6749 §2.3.1), which many clients leave out: avoid + and %, and : in a client_id`
    )
    return [...unknown, ...encoded]
  })
}

/**
 * A client that is not in the file may be one that registers itself; a misspelt one only ever hears that tokens are not
 * active.
 */
function introspectionWarnings({ clients, resources }: IssuerSettings, prefix: string): string[] {
  return resources.flatMap(({ introspection_clients }, index) =>
    introspection_clients.flatMap((client_id, position) => {
      const path = `${prefix}resources[${index}].introspection_clients[${position}]`
      const client = clients.find(known => known.client_id === client_id)
      if (client === undefined) return [`${path} names no client of this file`]
      return client.token_endpoint_auth_method === 'none' ? [`${path} names a public client, which cannot introspect`] : []
    })
  )
}

/** The first thing wrong, as one line. Of a union's branches, the one that got furthest into the value is meant. */
function errorOf(issue: z.core.$ZodIssue | undefined, base: readonly PropertyKey[] = []): ConfigError {
  if (issue === undefined) return new ConfigError('CONFIG', 'must be a valid configuration')
  const path = [...base, ...issue.path]
  if (issue.code === 'invalid_union') {
    const deeper = issue.errors.flat().find(({ path, code }) => path.length > 0 || code === 'unrecognized_keys')
    if (deeper !== undefined) return errorOf(deeper, path)
  }
  if (issue.code === 'unrecognized_keys')
    return new ConfigError(pathOf([...path, issue.keys[0] ?? '']), 'must be left out: it is not a known setting')
  return new ConfigError(pathOf(path) || 'CONFIG', issue.message)
}
