/** Starts a server in a process of its own and keeps every byte it prints, warnings included. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ClientMetadata, PrivateKeySet } from 'clientele'
import { tlsFetch, type Fetch, type TlsOptions } from './fetch.ts'
import { typescriptArgs } from '../processes/typescript-process.ts'

export interface ChildSetup {
  readonly clients: readonly { readonly client_id: string; readonly metadata: ClientMetadata }[]
  readonly clientCa: string
  readonly keys: PrivateKeySet
  /** `eager` prints every decision and everything about every error; `quiet` leaves it to the library. */
  readonly operator: 'eager' | 'quiet'
}

export interface ServerProcess {
  readonly issuer: string
  fetchFor(certificate?: TlsOptions['certificate']): Fetch
  /** Ends the process; resolves to all it ever printed. */
  stop(): Promise<string>
}

export async function startProcess(setup: ChildSetup): Promise<ServerProcess> {
  const child = fork(fileURLToPath(new URL('child.ts', import.meta.url)), {
    execArgv: [...typescriptArgs],
    // Express prints what it does not expect unless it is told that this is a test; nobody's options of Node's are ours
    env: { ...process.env, NODE_ENV: 'production', NODE_OPTIONS: '' },
    silent: true
  })
  const printed: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => printed.push(text))
  const closed = once(child, 'close')
  child.send(setup)
  const ready = (await Promise.race([once(child, 'message'), closed])) as [{ issuer: string; ca: string } | number | null]
  const [message] = ready
  if (typeof message !== 'object' || message === null) throw new Error(`the server ended: ${printed.join('')}`)
  const { issuer, ca } = message
  return {
    issuer,
    fetchFor: certificate => tlsFetch({ ca, certificate }),
    stop: async () => {
      child.kill()
      await closed
      return printed.join('')
    }
  }
}
