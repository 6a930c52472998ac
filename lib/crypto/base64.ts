/**
 * Decodes base64 (RFC 4648 §4), with or without padding; undefined for anything else, nothing too. Node's decoder skips
 * what it does not know: encoding again shows whether anything was skipped or repaired.
 */
export function decodeBase64(encoded: string): Uint8Array | undefined {
  if (encoded === '') return undefined
  const bytes = Buffer.from(encoded, 'base64')
  const canonical = bytes.toString('base64')
  return encoded === canonical || encoded === canonical.replace(/=+$/, '') ? bytes : undefined
}
