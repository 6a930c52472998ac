/** SHA-256 of a text, as bytes. */
import { hash } from 'node:crypto'

/** The digest of the text's UTF-8. */
export function sha256(text: string): Buffer {
  // asked for bytes, Node makes a buffer with memory of its own for them, which takes as long as the digest: this takes half
  return Buffer.from(hash('sha256', text, 'binary'), 'latin1')
}
