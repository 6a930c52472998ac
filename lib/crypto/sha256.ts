/** SHA-256, as bytes. */
import { hash } from 'node:crypto'

/** The digest of bytes, or of a text's UTF-8. */
export function sha256(data: string | Uint8Array): Buffer {
  // asked for bytes, Node makes a buffer with memory of its own for them, which takes as long as the digest: this takes
  // half
  return Buffer.from(hash('sha256', data, 'binary'), 'latin1')
}
