/** Ids that are digests: 32 bytes in base64url, which take 43 characters as text and eight words as what they are. */

export const wordsOfDigest = 8

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const sextets = new Int8Array(128).fill(-1)
for (let value = 0; value < alphabet.length; value++) sextets[alphabet.charCodeAt(value)] = value

/**
 * Reads an id that is exactly what 32 bytes are in base64url (RFC 4648 §5, without padding) into `words`. Answers false
 * for every other id, so that no two ids have the same words; `words` is then of no use.
 */
export function readDigest(id: string, words: Uint32Array): boolean {
  if (id.length !== 43) return false
  for (let at = 0, word = 0; at < 32; at += 16, word += 3) {
    const a = fourOf(id, at)
    const b = fourOf(id, at + 4)
    const c = fourOf(id, at + 8)
    const d = fourOf(id, at + 12)
    if ((a | b | c | d) < 0) return false
    words[word] = (a << 8) | (b >>> 16)
    words[word + 1] = (b << 16) | (c >>> 8)
    words[word + 2] = (c << 24) | d
  }
  const a = fourOf(id, 32)
  const b = fourOf(id, 36)
  const rest = (sextetOf(id, 40) << 12) | (sextetOf(id, 41) << 6) | sextetOf(id, 42)
  // 43 characters have two bits more than 32 bytes, and one digest is written in one way alone
  if ((a | b | rest) < 0 || (rest & 3) !== 0) return false
  words[6] = (a << 8) | (b >>> 16)
  words[7] = (b << 16) | (rest >>> 2)
  return true
}

/** The 24 bits of four characters; negative where one of them is not of base64url. */
function fourOf(id: string, at: number): number {
  return (sextetOf(id, at) << 18) | (sextetOf(id, at + 1) << 12) | (sextetOf(id, at + 2) << 6) | sextetOf(id, at + 3)
}

function sextetOf(id: string, at: number): number {
  return sextets[id.charCodeAt(at)] ?? -1
}
