/** An authorization server that takes attestations, and what instances of a wallet do there. */
import type { Express } from 'express'
import request, { type Response } from 'supertest'
import {
  authorizationCode,
  ciba,
  clientCredentials,
  deviceCode,
  refreshToken,
  type AttestationOptions,
  type AuthorizationServerOptions,
  type ClientMetadata,
  type Decision
} from '../../../lib/index.ts'
import { attested, combined, makeInstance, makeSigner, type Headers, type Instance } from '../clients/attestation.ts'
import type { DpopKey } from '../clients/dpop.ts'
import { callback, clients, harness, issuer, type Form, type Harness } from './authorization-server.ts'

export const attester = await makeSigner()
/** Two devices, and what one of them is with a DPoP proof in the place of a proof of its own. */
export const phone = await makeInstance()
export const tablet = await makeInstance()
export const combinedPhone: Instance = { ...phone, client_id: 'combined' }

const device = 'urn:ietf:params:oauth:grant-type:device_code'
const backchannel = 'urn:openid:params:grant-type:ciba'
const grant_types = ['authorization_code', 'refresh_token', 'client_credentials', device, backchannel]
const scope = 'openid profile offline_access api:read'
const base = { redirect_uris: [callback], grant_types, scope }

export const wallets: readonly ClientMetadata[] = [
  { client_id: 'wallet', token_endpoint_auth_method: 'attest_jwt_client_auth', ...base },
  { client_id: 'combined', token_endpoint_auth_method: 'attest_jwt_client_auth_dpop', ...base },
  ...clients
]

export interface Attested extends Harness {
  readonly decisions: Decision[]
  /** Posts to an endpoint, by default that for tokens, as an instance. */
  readonly post: (instance: Instance, form: Form | string, path?: string, more?: Headers) => Promise<Response>
  /** The same in combined mode, with the nonce of an answer before. */
  readonly combine: (form: Form | string, path?: string, by?: DpopKey) => Promise<Response>
}

export async function attestedServer(
  attestation: Partial<AttestationOptions> = {},
  options: Partial<AuthorizationServerOptions> = {}
): Promise<Attested> {
  const decisions: Decision[] = []
  const h = await harness({
    clients: wallets,
    tokenIssuers: [authorizationCode(), clientCredentials(), refreshToken(), deviceCode(), ciba()],
    deviceAuthorization: { verificationUri: `${issuer}/device` },
    backchannelAuthentication: { identify: () => 'alice' },
    attestation: { attesters: [{ jwks: { keys: [attester.jwk] } }], ...attestation },
    onDecision: decision => decisions.push(decision),
    ...options
  })
  const seconds = () => h.clock.now / 1000
  return {
    ...h,
    decisions,
    post: async (instance, form, path, more = {}) => {
      const headers = await attested(attester, instance, { aud: options.issuer ?? issuer, now: seconds() })
      return send(h.app, form, { ...headers, ...more }, path)
    },
    combine: async (form, path = '/oauth2/token', by = combinedPhone) => {
      const htu = `${issuer}${path}`
      const { headers } = await send(h.app, form, await combined(attester, combinedPhone, { htu, now: seconds(), by }), path)
      const nonce = String(headers['dpop-nonce'])
      return send(h.app, form, await combined(attester, combinedPhone, { htu, now: seconds(), nonce, by }), path)
    }
  }
}

export async function send(app: Express, form: Form | string, headers: Headers, path = '/oauth2/token'): Promise<Response> {
  return request(app)
    .post(path)
    .type('form')
    .set(headers)
    .send(typeof form === 'string' ? form : new URLSearchParams(form).toString())
}

/** `200`, or the status and error of a refusal. */
export const outcome = ({ status, body }: Pick<Response, 'status' | 'body'>): string =>
  status < 300 ? String(status) : `${status} ${String((body as { error?: string }).error)}`
