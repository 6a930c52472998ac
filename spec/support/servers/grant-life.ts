/** A server with every grant, whose people and clients come and go while what they were given is out. */
import type { Response } from 'supertest'
import {
  authorizationCode,
  ciba,
  clientCredentials,
  deviceCode,
  jwtBearer,
  refreshToken,
  tokenExchange,
  type AuthorizationServerOptions,
  type ClientMetadata
} from '../../../lib/index.ts'
import {
  alice,
  api,
  atApi,
  callback,
  codeForm,
  files,
  harness,
  issuer,
  redeemed,
  token,
  userinfo,
  type Harness
} from './authorization-server.ts'
import { bearerGrant, exchange, exchangeGrant, idp } from './assertion-grants.ts'
import { account, asked, grant_type as cibaGrant, page, poll as pollCiba, waiting } from './backchannel.ts'
import { begun, grant_type as deviceGrant, poll as pollDevice, verificationUri } from './devices.ts'
import { signAs } from './trusted-issuer.ts'

const every = ['authorization_code', 'refresh_token', 'client_credentials', deviceGrant, cibaGrant, bearerGrant, exchangeGrant]

/** Every client may use every grant; its secret is `secret of <client_id>`. */
export const lively = (client_id: string, more: Partial<ClientMetadata> = {}): ClientMetadata => ({
  client_id,
  client_secret: `secret of ${client_id}`,
  grant_types: every,
  redirect_uris: [callback],
  ...more
})

export interface Life extends Harness {
  /** The clients there are, by their id. */
  readonly clients: Map<string, ClientMetadata>
  /** The people there are. */
  readonly people: Set<string>
  /** Of whom the server asked whether they are still somebody here. */
  readonly asked: string[]
}

export async function life(options: Partial<AuthorizationServerOptions> = {}): Promise<Life> {
  const clients = new Map(['web', 'other', 'gateway', 'api-backend'].map(id => [id, lively(id)]))
  const people = new Set([alice.sub, 'bob'])
  const asked: string[] = []
  const trustedIssuers = [{ issuer: idp.issuer, jwks: { keys: [idp.jwk] } }]
  const made = await harness({
    clients: id => clients.get(id),
    defaultResource: 'inferred',
    account(sub) {
      asked.push(sub)
      return people.has(sub)
    },
    resources: [
      { resource: api, scopes: ['api:read', 'api:write'], introspectionClients: ['api-backend'] },
      { resource: files, scopes: ['files:read'], accessTokenFormat: 'opaque', introspectionClients: ['api-backend'] }
    ],
    tokenIssuers: [
      authorizationCode(),
      clientCredentials(),
      refreshToken(),
      deviceCode(),
      ciba(),
      jwtBearer({ trustedIssuers, subject: () => alice.sub }),
      tokenExchange({ trustedIssuers, subject: () => alice.sub, policy: () => ({ allow: 'impersonation' }) })
    ],
    deviceAuthorization: { verificationUri },
    backchannelAuthentication: { identify: () => alice.sub },
    ...options
  })
  return { ...made, clients, people, asked }
}

export const scope = 'openid email offline_access api:read'

/** What a client was given for tokens, and how it turns that into tokens: `form` is what it sends beside. */
type Ticket = (form?: Readonly<Record<string, string>>) => Promise<Response>

/** What can be out, of alice's, when something changes. */
export const tickets: Readonly<Record<string, (life: Life) => Promise<Ticket>>> = {
  async 'a code'({ app }) {
    const form = await codeForm(app, { scope })
    return more => token(app, 'web', { ...form, ...more })
  },
  async 'a refresh token'({ app }) {
    const { refresh_token } = await redeemed(app, 'web', { scope })
    return more => token(app, 'web', { grant_type: 'refresh_token', refresh_token, ...more })
  },
  async 'a device code'({ app, server }) {
    const { device_code, user_code } = await begun(app, 'web', { scope })
    if (!(await server.device.approve(user_code, account))) throw new Error('not approved')
    return more => pollDevice(app, device_code, 'web', more)
  },
  async 'an approved CIBA request'(life) {
    const { app, server } = life
    const { auth_req_id } = await asked(app, { scope, login_hint: 'alice' })
    if (!(await server.backchannel.approve(page, await waiting(life), account))) throw new Error('not approved')
    return more => pollCiba(app, auth_req_id, 'web', more)
  },
  'an assertion': async ({ app, clock }) => {
    const assertion = await signAs(idp, issuer, clock.now / 1000)
    return more => token(app, 'web', { grant_type: bearerGrant, assertion, scope: 'openid email api:read', ...more })
  }
}

/** What becomes of an access token wherever one is looked at: `good`, or how it is refused. */
export async function verdicts(life: Life, access_token: string, own = 'web'): Promise<Readonly<Record<string, string>>> {
  const { app, server } = life
  const told = ({ status, body }: Response) => (status === 200 ? 'good' : `${status} ${(body as { error: string }).error}`)
  const introspected = async (client_id: string) => {
    const { body } = await token(app, client_id, { token: access_token }, '/oauth2/introspect')
    return (body as { active?: boolean }).active === true ? 'good' : JSON.stringify(body)
  }
  return {
    userinfo: told(await userinfo(app, access_token)),
    api: told(await atApi(app, access_token)),
    introspected: await introspected(own),
    exchanged: told(await exchange(life, access_token)),
    verified: (await server.verifyAccessToken(access_token)) === undefined ? 'undefined' : 'good'
  }
}

/** What is said everywhere of a token that is dead. */
export const dead = {
  userinfo: '401 invalid_token',
  api: '401 invalid_token',
  introspected: '{"active":false}',
  exchanged: '400 invalid_request',
  verified: 'undefined'
}

export const good = { userinfo: 'good', api: 'good', introspected: 'good', exchanged: 'good', verified: 'good' }
