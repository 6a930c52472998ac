/** What people decide on that did not begin in their browser: a television, and somebody on the telephone. */
import { token } from './client-app.ts'
import type { Site } from './site.ts'

export interface Codes {
  readonly device_code: string
  readonly user_code: string
  readonly verification_uri: string
  readonly verification_uri_complete: string
}

async function post(url: string, form: Record<string, string>): Promise<unknown> {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form) })
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`)
  return response.json()
}

/** A television asks to be connected. */
export async function connectTelevision({ issuer }: Site, scope = 'openid offline_access api:read'): Promise<Codes> {
  return (await post(`${issuer}/oauth2/device_authorization`, { client_id: 'tv', scope })) as Codes
}

export function pollAsTelevision({ issuer }: Site, { device_code }: Codes): ReturnType<typeof token> {
  return token(issuer, { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', client_id: 'tv', device_code })
}

const centre = { client_id: 'centre', client_secret: 'the secret of the call centre' }

/** The call centre asks for somebody. */
export async function askFromCallCentre({ issuer }: Site, login_hint: string, binding_message: string): Promise<string> {
  const form = { ...centre, scope: 'openid api:read', login_hint, binding_message }
  return ((await post(`${issuer}/oauth2/bc-authorize`, form)) as { auth_req_id: string }).auth_req_id
}

export function pollAsCallCentre({ issuer }: Site, auth_req_id: string): ReturnType<typeof token> {
  return token(issuer, { grant_type: 'urn:openid:params:grant-type:ciba', ...centre, auth_req_id })
}
