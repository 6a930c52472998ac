/** Nonces for DPoP proofs (RFC 9449 §8): issued without being kept, rotating by time. */
import { isEqual } from '../crypto/comparison.ts'
import type { Clock } from '../client-request.ts'

export interface DpopNonces {
  /** The nonce to hand out now. */
  current(): string
  /** Whether this server issued the nonce, in this period or the one before. */
  isValid(nonce: string): boolean
}

/** Milliseconds a nonce is handed out; it is accepted for up to twice as long. */
const period = 60_000

/**
 * Makes nonces that are a MAC over the period they belong to: any node with the same key knows them, and none has to
 * keep them.
 *
 * @param issuer whose they are: no other server's, with the same keys either.
 */
export function dpopNonces(mac: (data: Uint8Array) => Buffer, issuer: string, clock: Clock): DpopNonces {
  const nonceOf = (index: number): string =>
    mac(Buffer.from(`${index} ${issuer}`))
      .subarray(0, 18)
      .toString('base64url')
  let latest = { index: -1, nonce: '' }
  const current = (): string => {
    const index = Math.floor(clock() / period)
    // every answer carries one: it is made once a period
    if (latest.index !== index) latest = { index, nonce: nonceOf(index) }
    return latest.nonce
  }
  return {
    current,
    isValid(nonce) {
      return [current(), nonceOf(Math.floor(clock() / period) - 1)].some(known => isEqual(nonce, known))
    }
  }
}

/**
 * Puts the next nonce on an answer, refusals too, where nonces are asked for (RFC 9449 §8.2): no client has to be
 * refused to learn it.
 */
export function offerDpopNonce(
  res: { setHeader(name: string, value: string): unknown },
  { nonces }: { readonly nonces: DpopNonces | undefined }
): void {
  if (nonces !== undefined) res.setHeader('DPoP-Nonce', nonces.current())
}
