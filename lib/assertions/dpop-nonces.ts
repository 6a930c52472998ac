/** Nonces for DPoP proofs (RFC 9449 §8): issued without being kept, rotating by time. */
import { timingSafeEqual } from 'node:crypto'
import type { Clock } from '../client-request.ts'

export interface DpopNonces {
  /** The nonce to hand out now. */
  current(): string
  /** Whether this server issued the nonce, in this period or the one before. */
  isValid(nonce: string): boolean
}

/** Milliseconds a nonce is handed out; it is accepted for up to twice as long. */
const period = 60_000

/** Makes nonces that are a MAC over the period they belong to: any node with the same key knows them, and none has to keep them. */
export function dpopNonces(mac: (data: Uint8Array) => Buffer, clock: Clock): DpopNonces {
  const nonceOf = (index: number): string => {
    const data = Buffer.alloc(8)
    data.writeBigUInt64BE(BigInt(index))
    return mac(data).subarray(0, 18).toString('base64url')
  }
  return {
    current: () => nonceOf(Math.floor(clock() / period)),
    isValid(nonce) {
      const now = Math.floor(clock() / period)
      const given = Buffer.from(nonce)
      return [now, now - 1].some(index => {
        const expected = Buffer.from(nonceOf(index))
        return given.length === expected.length && timingSafeEqual(given, expected)
      })
    }
  }
}
