/** Policy on clients that register themselves: their grants, and a warning about those no person decides on. */
import type { IssuerSettings } from './schema.ts'

/** In these a person decides, and it is the person's own access that is given. */
const grantsOfPeople = ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code']

/** The grants that may be registered: all there are, unless the policy says which. */
export function registeredGrantTypes({ policy }: IssuerSettings): readonly string[] {
  return policy.registration_grant_types.length === 0 ? policy.grant_types : policy.registration_grant_types
}

/** Whoever may register without asking may have what no person was asked about. */
export function registrationWarnings(settings: IssuerSettings, prefix: string): readonly string[] {
  if (settings.policy.registration !== 'open') return []
  const ofMachines = registeredGrantTypes(settings).filter(grant_type => !grantsOfPeople.includes(grant_type))
  if (ofMachines.length === 0) return []
  return [
    `${prefix}policy.registration_grant_types lets anyone register for grants no person decides on: ${ofMachines.join(', ')}`
  ]
}
