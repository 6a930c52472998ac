/** A platform that every process trusts, whose tokens are good once, and what it signs. */
import { randomUUID } from 'node:crypto'
import type { FederatedRule, WorkloadsOptions } from 'clientele'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { issuer } from './setup.ts'

const platform = 'https://platform.example'
const signing = await generateKeyPair('ES256')

export const workloads: WorkloadsOptions = {
  issuers: [
    { issuer: platform, replay: 'once', jwks: { keys: [{ ...(await exportJWK(signing.publicKey)), kid: '1', alg: 'ES256' }] } }
  ]
}

/** The rule of the tokens of one job. */
export const ruleOf = (job: string): FederatedRule => ({ issuer: platform, subject: job })

/** What authenticates the client of a job, once. */
export async function platformToken(job: string): Promise<Readonly<Record<string, string>>> {
  const client_assertion = await new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg: 'ES256', kid: '1' })
    .setIssuer(platform)
    .setSubject(job)
    .setAudience(issuer)
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(signing.privateKey)
  return { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion }
}
