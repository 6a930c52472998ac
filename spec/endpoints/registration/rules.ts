/** The rules of a server that can do everything, for specs that change one of them. */
import { expect } from '@jest/globals'
import { readMetadata, type RegisteredMembers } from '../../../lib/endpoints/registration/metadata.ts'
import type { RegistrationRules } from '../../../lib/endpoints/registration/rules.ts'
import { OAuthError } from '../../../lib/errors.ts'

const asymmetric = ['RS256', 'PS256', 'ES256', 'EdDSA']

export const everything: RegistrationRules = {
  methods: new Map([
    ['client_secret_basic', []],
    ['client_secret_post', []],
    ['client_secret_jwt', ['HS256', 'HS512']],
    ['private_key_jwt', asymmetric],
    ['tls_client_auth', []],
    ['self_signed_tls_client_auth', []],
    ['none', []]
  ]),
  grantTypes: ['authorization_code', 'client_credentials', 'refresh_token'],
  confidentialGrantTypes: ['client_credentials'],
  scopes: ['openid', 'api:read', 'api:write'],
  signingAlgorithms: asymmetric,
  requestObjectAlgorithms: asymmetric,
  authorizationDetailTypes: ['payment'],
  subjectTypes: ['public', 'pairwise'],
  certificateMethods: true,
  loopback: false,
  profile: 'oauth2',
  deliveryModes: ['poll', 'ping', 'push'],
  schemes: [],
  workloads: true,
  limits: { bytes: 65_536, redirectUris: 50, keys: 20, perNetwork: 200 }
}

/** Reads metadata as {@link everything} would, with some rules changed. */
export const read = (sent: object, change: Partial<RegistrationRules> = {}): RegisteredMembers =>
  readMetadata(sent as Record<string, unknown>, { ...everything, ...change })

/** The whole answer to metadata that is refused. */
export function refusal(sent: object, change?: Partial<RegistrationRules>): string {
  try {
    read(sent, change)
  } catch (error) {
    if (error instanceof OAuthError && error.status === 400) return `${error.error}: ${error.message}`
    throw error
  }
  return 'accepted'
}

/** What such an answer is where it begins with these words. */
export const invalid = (begins: string): unknown =>
  expect.stringMatching(new RegExp(`^invalid_client_metadata: ${begins.replace(/[[\].]/g, '\\$&')}`))
