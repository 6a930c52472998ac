/** The clients of the processes: one with a secret, and one with a key. */
import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { basic } from './cluster.ts'
import { ruleOf } from './platform.ts'
import { callback, deviceCodeGrantType, issuer } from './setup.ts'

const secret = 'a secret of letters and spaces alone'
const signing = await generateKeyPair('ES256')

export const credentials = basic('web', secret)

export const clients = [
  {
    client_id: 'web',
    client_secret: secret,
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials', deviceCodeGrantType],
    redirect_uris: [callback]
  },
  {
    client_id: 'signing',
    token_endpoint_auth_method: 'private_key_jwt',
    grant_types: ['client_credentials'],
    jwks: { keys: [{ ...(await exportJWK(signing.publicKey)), kid: '1', alg: 'ES256' }] }
  },
  {
    client_id: 'job',
    token_endpoint_auth_method: 'federated_jwt',
    grant_types: ['client_credentials'],
    federated_credentials: [ruleOf('job')]
  }
]

/** What authenticates the client with the key, once. */
export async function assertion(): Promise<Readonly<Record<string, string>>> {
  const client_assertion = await new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg: 'ES256', kid: '1' })
    .setIssuer('signing')
    .setSubject('signing')
    .setAudience(issuer)
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(signing.privateKey)
  return { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion }
}
