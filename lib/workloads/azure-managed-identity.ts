/** Azure: whatever runs with a managed identity, with a token of the instance metadata service. */
import type { WorkloadIssuer } from '../assertions/workloads/options.ts'
import type { FederatedCredential } from '../clients/federated-credential.ts'
import { ConfigurationError, readBy, readOptions, required, text, textLike, type Check, type Checks } from '../options.ts'
import { credential, presetChecks, refusing, type PresetOptions } from './preset.ts'

/** Which managed identity of which tenant. */
export interface AzureManagedIdentityOptions extends PresetOptions {
  /** The tenant's id: a GUID. */
  readonly tenantId: string
  /**
   * The identity's object id, which Azure also calls its principal id: a GUID. Every other identity of the tenant can
   * get a token for the same audience.
   */
  readonly objectId: string
  /**
   * The application that stands for this server: its URI (`api://…`) in tokens of version 1, its client id in those of
   * version 2.
   */
  readonly audience: string
  /**
   * The version of the tokens, `ver` in them, which the application decides (`requestedAccessTokenVersion`). Default 2.
   */
  readonly version?: 1 | 2 | undefined
}

const guid = required(textLike('a GUID', value => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)))

const version: Check<1 | 2> = readBy('1 or 2', (value = 2, key) => {
  if (value !== 1 && value !== 2) throw new ConfigurationError(key, 'must be 1 or 2')
  return value
})

const issuerChecks = { tenantId: guid, version }
export const azureManagedIdentityChecks = {
  ...presetChecks,
  ...issuerChecks,
  objectId: guid,
  audience: required(text())
} satisfies Checks<AzureManagedIdentityOptions>

/** See {@link azureManagedIdentity}. */
export interface AzureManagedIdentity {
  /** @throws ConfigurationError naming the option that is wrong, or missing. */
  (options: AzureManagedIdentityOptions): FederatedCredential
  /**
   * A tenant's issuer, for `workloads.issuers`: each version of tokens has its own.
   *
   * @throws ConfigurationError naming the option that is wrong.
   */
  issuer(options: Pick<AzureManagedIdentityOptions, 'tenantId' | 'version'>): WorkloadIssuer
}

/**
 * The credential of a client that runs on Azure with a managed identity.
 *
 * @example
 * azureManagedIdentity({ tenantId: '8eaef023-…', objectId: '5f6c1d0e-…', audience: 'api://as.example.com', version: 1 })
 */
export const azureManagedIdentity: AzureManagedIdentity = Object.assign(
  (options: AzureManagedIdentityOptions): FederatedCredential => {
    const read = readOptions(options, azureManagedIdentityChecks, 'azureManagedIdentity.')
    const tid = read.tenantId.toLowerCase()
    const oid = read.objectId.toLowerCase()
    const { issuer } = tenant(tid, read.version)
    return credential(read, { issuer, subject: oid, claims: { tid, oid } }, refusing('azureManagedIdentity'))
  },
  {
    issuer(options: Pick<AzureManagedIdentityOptions, 'tenantId' | 'version'>): WorkloadIssuer {
      const { tenantId, version } = readOptions(options, issuerChecks, 'azureManagedIdentity.issuer.')
      return tenant(tenantId.toLowerCase(), version)
    }
  }
)

/** The slash at the end of the first is the issuer's own. */
function tenant(id: string, version: 1 | 2): WorkloadIssuer {
  const keys = `https://login.microsoftonline.com/${id}/discovery`
  return version === 1
    ? { issuer: `https://sts.windows.net/${id}/`, jwks_uri: `${keys}/keys` }
    : { issuer: `https://login.microsoftonline.com/${id}/v2.0`, jwks_uri: `${keys}/v2.0/keys` }
}
