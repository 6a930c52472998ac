/** Tenants stand at paths below the issuer. None may take an address that another issuer serves. */
import { ConfigError } from './config-error.ts'

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
