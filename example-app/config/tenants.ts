/** Tenants stand at paths below the issuer. None may take an address that another issuer serves. */
import { ConfigError } from './config-error.ts'
import type { IssuerSettings, Settings } from './schema.ts'

/** The first path segment of everything an issuer serves itself. */
const reserved = new Set([
  '.well-known',
  'oauth2',
  'login',
  'consent',
  'account',
  'logout',
  'device',
  'ciba',
  'api',
  'assets',
  'logos',
  'demo',
  'decisions',
  'playground',
  'healthz',
  'readyz'
])

/** One of the issuers that a file describes. */
interface IssuerOfFile {
  readonly issuer: string
  readonly own: IssuerSettings
  /** What stands before the names of its settings in the file: empty, or `tenants[0].`. */
  readonly prefix: string
}

/** The issuer itself, and its tenants. */
export function issuersIn(settings: Settings): readonly IssuerOfFile[] {
  const tenants = settings.tenants.map((own, index) => ({ issuer: settings.issuer + own.path, own, prefix: prefixOf(index) }))
  return [{ issuer: settings.issuer, own: settings, prefix: '' }, ...tenants]
}

/** The settings with these changes in those of the issuer itself and of every tenant. */
export function changeInAll(
  settings: Settings,
  change: (own: IssuerSettings, prefix: string) => Partial<IssuerSettings>
): Settings {
  const tenants = settings.tenants.map((tenant, index) => ({ ...tenant, ...change(tenant, prefixOf(index)) }))
  return { ...settings, ...change(settings, ''), tenants }
}

function prefixOf(tenant: number): string {
  return `tenants[${tenant}].`
}

/** The settings of the issuer itself, or of the tenant at a path. @throws {@link ConfigError} where there is none. */
export function settingsAt(settings: Settings, path: string | undefined): IssuerSettings {
  const own = path === undefined ? settings : settings.tenants.find(tenant => tenant.path === path)
  if (own === undefined) throw new ConfigError('--tenant', 'must be the path of a tenant in the configuration file')
  return own
}

/** @throws {@link ConfigError} naming the tenant whose path is taken. */
export function checkTenantPaths(paths: readonly string[]): void {
  paths.forEach((path, index) => {
    if (paths.indexOf(path) !== index) throw new ConfigError(`tenants[${index}].path`, 'must not be that of another tenant')
    for (const base of ['', ...paths]) {
      if (!path.startsWith(`${base}/`)) continue
      const segment = path.slice(base.length + 1).split('/')[0] ?? ''
      if (reserved.has(segment))
        throw new ConfigError(`tenants[${index}].path`, `must not begin with ${base}/${segment}, which another issuer serves`)
    }
  })
}

/** @throws {@link ConfigError} where the MCP server's path is taken. */
export function checkMcpPath(path: string | undefined, tenantPaths: readonly string[]): void {
  if (path === undefined) return
  const [, segment = ''] = path.split('/')
  if (reserved.has(segment)) throw new ConfigError('mcp.path', `must not begin with /${segment}, which the issuer serves`)
  const tenant = tenantPaths.find(other => path === other || path.startsWith(`${other}/`))
  if (tenant !== undefined) throw new ConfigError('mcp.path', `must not be at or below ${tenant}, which is a tenant's`)
}
