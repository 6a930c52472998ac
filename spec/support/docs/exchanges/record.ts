/** Every method's script, and what comes of it. */
import { methodFacts } from '../../../../lib/clients/methods.ts'
import { clientSecretJwt, privateKeyJwt } from './assertions.ts'
import { attestJwtClientAuth, attestJwtClientAuthDpop } from './attestation.ts'
import { selfSignedTlsClientAuth, spiffeX509, tlsClientAuth } from './certificates.ts'
import type { Failure, Recording } from './page.ts'
import { bearerCall, secret, type MethodScript } from './script.ts'
import { clientSecretBasic, clientSecretPost, none } from './secrets.ts'
import { recordedServer } from './server.ts'
import { federatedJwt, spiffeJwt } from './workloads.ts'

export const methodNames: readonly string[] = [...methodFacts.keys()]

export const scripts: readonly MethodScript[] = [
  ...[clientSecretBasic, clientSecretPost, clientSecretJwt, privateKeyJwt, tlsClientAuth, selfSignedTlsClientAuth],
  ...[federatedJwt, spiffeJwt, spiffeX509, attestJwtClientAuth, attestJwtClientAuthDpop, none]
]

/** Has the client get a token and call the API, and then everything that can go wrong. */
export async function record(script: MethodScript): Promise<Recording> {
  const { method, registered, options, documents, talk, call = bearerCall, faults } = script
  const billing = { client_id: 'billing', token_endpoint_auth_method: method, grant_types: ['client_credentials'], ...registered }
  const reports = { client_id: 'reports', client_secret: `${secret}2`, grant_types: ['client_credentials'] }
  const server = await recordedServer({ clients: [billing, reports], options, documents })
  try {
    const { body } = await talk(server.send)
    const { access_token = '' } = JSON.parse(body) as { readonly access_token?: string }
    await server.send(await call(access_token))
    const happened = [...server.happened]
    const failures: Failure[] = []
    for (const fault of faults) {
      server.forget()
      const answer = await talk(server.send, fault.change)
      const decision = server.happened.flatMap(one => (one.type === 'decision' ? [one.decision] : [])).at(-1)
      const bytes = server.happened.flatMap(one => (one.type === 'answer' ? [one.bytes] : [])).at(-1) ?? ''
      failures.push({ fault, answer, bytes, decision, happened: [...server.happened] })
    }
    return { happened, failures }
  } finally {
    await server.close()
  }
}

/** A client that may use a method beside the one it comes from: what it hears by either. */
export async function statusesInTransition(script: MethodScript, before: MethodScript): Promise<readonly number[]> {
  const { credentials, ...registered } = { ...before.registered, ...script.registered }
  const client = {
    client_id: 'billing',
    token_endpoint_auth_method: before.method,
    grant_types: ['client_credentials'],
    ...registered,
    credentials: [...(credentials ?? []), { type: 'method' as const, id: 'next', method: script.method }]
  }
  const { options, documents } = script
  const server = await recordedServer({ clients: [client], options, documents })
  try {
    return [(await script.talk(server.send)).status, (await before.talk(server.send)).status]
  } finally {
    await server.close()
  }
}
