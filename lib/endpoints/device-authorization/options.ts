/** The options of device authorization (RFC 8628). */
import { deviceCodeGrantType } from '../../clients/grant-types.ts'
import { ConfigurationError, integer, isSecureAddress, required, textLike, type Checks, type Read } from '../../options.ts'

/** The options of device authorization (RFC 8628). */
export interface DeviceAuthorizationOptions {
  /** The page where people enter user codes: short enough to be typed. The library does not serve it. */
  readonly verificationUri: string
  /** Seconds both codes live. Default 600. */
  readonly codeTtl?: number | undefined
  /** Seconds a device waits between two polls. Default 5. */
  readonly interval?: number | undefined
}

const day = 86_400

export const deviceAuthorizationChecks = {
  verificationUri: required(textLike('an https URL without a query or fragment', isPageAddress)),
  codeTtl: integer({ min: 1, max: day, default: 600 }),
  interval: integer({ min: 1, max: 300, default: 5 })
} satisfies Checks<DeviceAuthorizationOptions>

/** The policy by which devices are authorized. */
export type DevicePolicy = Read<typeof deviceAuthorizationChecks>

/** The policy where there is the grant. @throws ConfigurationError where there is one without the other. */
export function checkDeviceAuthorization(
  policy: DevicePolicy | undefined,
  grantTypes: readonly string[]
): DevicePolicy | undefined {
  const issued = grantTypes.includes(deviceCodeGrantType)
  if (policy === undefined && issued)
    throw new ConfigurationError(
      'deviceAuthorization',
      'must be an object with verificationUri, as deviceCode() is among tokenIssuers'
    )
  if (policy !== undefined && !issued)
    throw new ConfigurationError('deviceAuthorization', 'needs deviceCode() among tokenIssuers')
  return policy
}

function isPageAddress(uri: string): boolean {
  const url = URL.canParse(uri) ? new URL(uri) : undefined
  if (url === undefined || /[?#]/.test(uri) || url.username !== '' || url.password !== '') return false
  return isSecureAddress(url)
}
