/** Strength of a secret against guessing, as far as it can be seen from the secret itself. */

/** Words, digits and separators that people write where a secret belongs, and nothing else. */
const words =
  /^(?:client|my|the|top|super|secret|password|passw0rd|pass|changeme|change-me|test|example|demo|admin|default|[-_ .!\d])*$/i

/** Bits that an attacker has to guess at most: as if every character were drawn from those that are there. */
export function secretBits(secret: string): number {
  if (words.test(secret)) return 0
  const characters = Array.from(secret)
  return Math.floor(characters.length * Math.log2(Math.max(2, new Set(characters).size)))
}

/** Below it a secret can be guessed by trying. */
export const guessableBits = 64
/** RFC 6749 §10.10: the least for what machines keep. */
export const wantedBits = 128
