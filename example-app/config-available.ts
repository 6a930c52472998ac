/**
 * What the configuration knows and this version does not do yet: where going on without it would be less safe than the file
 * says, the server does not start.
 */
import { ConfigError } from './config-error.ts'
import type { Settings } from './config-schema.ts'

const notYet = '(anything else is not available in this version)'

/** @throws {@link ConfigError} for the first setting this version cannot honour. */
export function checkAvailable(settings: Settings): void {
  for (const [prefix, { policy }] of [
    ['', settings] as const,
    ...settings.tenants.map((tenant, index) => [`tenants[${index}].`, tenant] as const)
  ]) {
    if (policy.registration !== 'off') throw new ConfigError(`${prefix}policy.registration`, `must be "off" ${notYet}`)
  }
}
