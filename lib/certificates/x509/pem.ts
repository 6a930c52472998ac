/**
 * PEM in files of an operator's own (RFC 7468): the blocks of one label, whatever stands around them. What a header
 * holds is read more strictly.
 */

/** The DER of each block. What is no base64 in one makes no DER either. */
export function pemBlocks(text: string, label: 'CERTIFICATE' | 'X509 CRL'): readonly Buffer[] {
  const blocks = text.matchAll(new RegExp(`-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]*)-----END ${label}-----`, 'g'))
  return Array.from(blocks, ([, base64 = '']) => Buffer.from(base64, 'base64'))
}
