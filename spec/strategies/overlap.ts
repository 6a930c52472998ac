/** Overlapping requests of different clients: everyone must get their own client, or be refused as themselves. */
import { expect } from '@jest/globals'
import {
  slowly,
  listen,
  refusal,
  withMiddleware,
  withPassport,
  type Mount,
  type StrategySetup
} from '../support/servers/strategy-app.ts'
import type { ClientMetadata } from '../../lib/clients/client.ts'

const rounds = 8

/** What one request sends, and how it must come out. */
export interface OverlappingRequest {
  readonly body?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  /** The client it must be answered as; undefined where it must be refused. */
  readonly client_id: string | undefined
}

/**
 * Sends every client's request at once, many rounds, to one application whose clients are found after different delays,
 * through Passport by name and through `authenticateClient()`.
 */
export async function expectNoSwaps(
  clients: readonly ClientMetadata[],
  strategy: StrategySetup['strategy'],
  requests: () => Promise<readonly OverlappingRequest[]> | readonly OverlappingRequest[]
): Promise<void> {
  const ways: readonly Mount[] = [withPassport(), withMiddleware()]
  for (const mount of ways) {
    const { url, close } = await listen(mount({ clients: slowly(clients), strategy }).app)
    try {
      for (let round = 0; round < rounds; round++) {
        const sent = await requests()
        expect(await Promise.all(sent.map(one => send(url, one)))).toEqual(sent.map(expected))
      }
    } finally {
      await close()
    }
  }
}

async function send(url: string, { body, headers }: OverlappingRequest): Promise<unknown> {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(body), headers: { ...headers } })
  return [response.status, await response.json()]
}

function expected({ client_id, body }: OverlappingRequest): unknown {
  return client_id === undefined ? [401, JSON.parse(refusal)] : [200, { client_id, user: null, scope: body?.['scope'] ?? null }]
}
