/** An authorization server for devices, and what a device and its person do there. */
import type { Express } from 'express'
import type { Response } from 'supertest'
import {
  authorizationCode,
  clientCredentials,
  deviceCode,
  refreshToken,
  type AuthorizationServerOptions
} from '../../../lib/index.ts'
import { basic, clients, harness, token, type Form, type Harness } from './authorization-server.ts'

export const grant_type = 'urn:ietf:params:oauth:grant-type:device_code'
export const verificationUri = 'https://as.example.com/device'
export const account = { sub: 'alice', auth_time: 1_799_999_000, acr: 'urn:acr:1', amr: ['pwd'] }

/** The clients of every spec, all but `narrow` and `codes-only` with the device grant. */
export const devices = clients.map(client =>
  ['narrow', 'codes-only'].includes(client.client_id)
    ? client
    : { ...client, grant_types: [...(client.grant_types ?? []), grant_type] }
)

export function deviceServer(options: Partial<AuthorizationServerOptions> = {}): Promise<Harness> {
  return harness({
    clients: devices,
    tokenIssuers: [authorizationCode(), clientCredentials(), refreshToken(), deviceCode()],
    deviceAuthorization: { verificationUri },
    ...options
  })
}

export const authorizeDevice = (app: Express, client_id: string, form: Form | string = { scope: 'openid api:read' }) =>
  token(app, client_id, form, '/oauth2/device_authorization')

export interface DeviceCodes {
  readonly device_code: string
  readonly user_code: string
  readonly verification_uri_complete: string
  readonly expires_in: number
  readonly interval: number
}

export async function begun(app: Express, client_id = 'web', form?: Form): Promise<DeviceCodes> {
  const response = await authorizeDevice(app, client_id, form)
  if (response.status !== 200) throw new Error(`no codes: ${response.text}`)
  return response.body as DeviceCodes
}

export const poll = (app: Express, device_code: string, client_id = 'web', more: Form = {}) =>
  token(app, client_id, { grant_type, device_code, ...more })

/** `200`, or the status and error of a refusal. */
export const outcome = ({ status, body }: Pick<Response, 'status' | 'body'>): string =>
  status === 200 ? '200' : `${status} ${String((body as { error?: string }).error)}`

/** Fifty requests at once of the client `web`, with whatever it polls for. */
export function fiftyPolls(address: string, form: Readonly<Record<string, string>>) {
  const request = async () => {
    const headers = { Authorization: basic('web') }
    const response = await fetch(`${address}/oauth2/token`, { method: 'POST', headers, body: new URLSearchParams(form) })
    return { status: response.status, body: (await response.json()) as { error?: string; access_token?: string } }
  }
  return Promise.all(Array.from({ length: 50 }, request))
}
