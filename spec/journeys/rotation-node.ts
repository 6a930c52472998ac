/** One server process of two on one SQLite store, with functions its operator calls over the process channel. */
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import {
  authorizationServer,
  clientCredentials,
  type ClientMetadata,
  type CredentialFunctions,
  type PrivateKeySet
} from 'clientele'
import { sqliteStore } from 'clientele/stores/sqlite'
import express from 'express'

/** What both processes have in common. */
export interface RotationSetup {
  readonly issuer: string
  readonly path: string
  readonly keys: PrivateKeySet
  readonly clients: readonly ClientMetadata[]
  readonly tls: { readonly key: string; readonly cert: string }
}

/** A function of `server.credentials` to call. */
export interface RotationCall {
  readonly id: number
  readonly name: keyof CredentialFunctions
  readonly given: readonly unknown[]
}

async function serve({ issuer, path, keys, clients, tls }: RotationSetup): Promise<void> {
  const server = authorizationServer({
    issuer,
    keys,
    clients,
    store: await sqliteStore({ path }),
    certificateMethods: true,
    credentials: { maxAge: 1 },
    tokenIssuers: [clientCredentials()],
    // what fails is counted by the clients
    onError: () => undefined,
    interaction: { account: () => undefined, consented: () => false, prompt: (_req, res) => void res.sendStatus(403) }
  })
  const listener = createServer({ ...tls, requestCert: true, rejectUnauthorized: false }, express().use(server))
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  process.on('message', ({ id, name, given }: RotationCall) => {
    const functions = server.credentials as unknown as Record<string, (...args: readonly unknown[]) => Promise<unknown>>
    functions[name]?.(...given).then(
      value => process.send?.({ id, value }),
      (error: unknown) => process.send?.({ id, error: String(error) })
    )
  })
  process.send?.({ port: (listener.address() as AddressInfo).port })
}

process.once('message', (setup: RotationSetup) => void serve(setup))
process.once('disconnect', () => process.exit(0))
