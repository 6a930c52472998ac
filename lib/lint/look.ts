/** Looks at an address of somebody else’s, and lets nothing it answers hurt whoever looks. */

/** Answer of an address. */
export interface Look {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  /** The body, as far as it was read. */
  readonly text: string
}

/** Why nothing could be seen. */
export class LookError extends Error {
  /** The class's name. */
  override readonly name = 'LookError'
}

/** Bytes of a body; metadata and key sets have a few thousand. */
const mostBytes = 262_144

/** Looks at addresses, each time within bounds. */
export interface Eyes {
  look(url: string, init?: RequestInit): Promise<Look>
}

/**
 * Eyes that follow no redirect, read 256 KiB of one answer, and look 40 times at most.
 *
 * @param fetch what asks.
 * @param wait milliseconds for one answer, with its body.
 */
export function eyes(fetch: typeof globalThis.fetch, wait: number): Eyes {
  let looks = 0
  return {
    async look(url, init) {
      if (++looks > 40) throw new LookError('it would take too many requests')
      try {
        const answer = await fetch(url, { redirect: 'manual', ...init, signal: AbortSignal.timeout(wait) })
        return { url, status: answer.status, headers: answer.headers, text: await readText(answer) }
      } catch (error) {
        throw error instanceof LookError ? error : new LookError(reasonOf(error))
      }
    }
  }
}

async function readText({ body }: Response): Promise<string> {
  if (body === null) return ''
  const chunks: Uint8Array[] = []
  let bytes = 0
  const reader = body.getReader()
  for (;;) {
    const { done, value } = (await reader.read()) as { readonly done: boolean; readonly value?: Uint8Array }
    if (done || value === undefined) break
    bytes += value.byteLength
    if (bytes > mostBytes) {
      await reader.cancel()
      throw new LookError(`the answer is longer than ${mostBytes} bytes`)
    }
    chunks.push(value)
  }
  return new TextDecoder().decode(Buffer.concat(chunks))
}

function reasonOf(error: unknown): string {
  const { name, cause } = error as { readonly name?: string; readonly cause?: { readonly code?: unknown } }
  if (name === 'TimeoutError' || name === 'AbortError') return 'it did not answer in time'
  const code = cause?.code
  return typeof code === 'string' ? `it did not answer (${code})` : 'it did not answer'
}
