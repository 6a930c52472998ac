/** Formats of a client's certificate in a proxy's header. Each is read strictly, and no certificate verified here. */
import { createHash } from 'node:crypto'
import { decodeBase64 } from '../../crypto/base64.ts'
import { unreadable } from './header.ts'
import { readForwardedCertificates } from './envoy-xfcc.ts'

/**
 * - `rfc9440`: a structured-field byte sequence, `:base64:` (RFC 9440 §2).
 * - `url-encoded-pem`: PEM, percent-encoded; with more than one certificate, the client's own first.
 * - `pem`: PEM whose line breaks have become spaces; `(null)`, which Apache writes, is none.
 * - `base64-der`: bare base64; with more than one certificate, the client's own first and commas between.
 * - `envoy-xfcc`: Envoy's `X-Forwarded-Client-Cert`, its `Cert` and `Chain`.
 */
export type CertificateFormat = 'rfc9440' | 'url-encoded-pem' | 'pem' | 'base64-der' | 'envoy-xfcc'

export interface FormatReader {
  /** The header's name, where the format fixes it. */
  readonly header?: string
  /**
   * The byte strings of a header, the client's certificate first; none where the header says that there is none.
   * @throws InvalidRequestError
   */
  readonly read: (value: string, hops: number) => readonly Uint8Array[]
  /**
   * Those of the header that carries the chain. Absent: the format has no other header for it. @throws
   * InvalidRequestError
   */
  readonly readChain?: (value: string) => readonly Uint8Array[]
  /** Whether the chain's header may be sent in several lines, as one list. */
  readonly chainIsList?: true
}

/** Certificates in one header: more is no chain anybody has. */
const mostCertificates = 7
const begin = '-----BEGIN CERTIFICATE-----'
const end = '-----END CERTIFICATE-----'

export const certificateFormats: ReadonlyMap<CertificateFormat, FormatReader> = new Map<CertificateFormat, FormatReader>([
  [
    'rfc9440',
    {
      header: 'client-cert',
      // an empty sequence is how a template that always writes the colons says "none"
      read: value => (value === '::' ? [] : [readByteSequence(value)]),
      readChain: value => listOf(value).map(readByteSequence),
      chainIsList: true
    }
  ],
  ['url-encoded-pem', { read: readEncodedPem, readChain: readEncodedPem }],
  ['pem', { read: readPemOrNull, readChain: readPemOrNull }],
  ['base64-der', { read: readBase64List, readChain: readBase64List }],
  ['envoy-xfcc', { header: 'x-forwarded-client-cert', read: readXfcc }]
])

/** RFC 8941 §3.3.5, without parameters. */
function readByteSequence(item: string): Uint8Array {
  if (item.length < 2 || !item.startsWith(':') || !item.endsWith(':'))
    throw unreadable('is not a byte sequence between colons (RFC 9440 §2.1)')
  return base64(item.slice(1, -1))
}

function readBase64List(value: string): readonly Uint8Array[] {
  return listOf(value).map(base64)
}

function readPemOrNull(value: string): readonly Uint8Array[] {
  return value === '(null)' ? [] : readPem(value)
}

function readEncodedPem(value: string): readonly Uint8Array[] {
  let text: string
  try {
    // not as a form: a + is a + of base64, never a space
    text = decodeURIComponent(value)
  } catch {
    throw unreadable('has invalid percent-encoding')
  }
  return readPem(text)
}

/** Certificates in PEM (RFC 7468), any white space between them and in their base64, and nothing else. */
function readPem(text: string): readonly Uint8Array[] {
  const found: Uint8Array[] = []
  for (let rest = text.trimStart(); rest !== '';) {
    if (!rest.startsWith(begin)) throw unreadable('has something else than certificates in PEM')
    const stop = rest.indexOf(end)
    if (stop === -1) throw unreadable('ends before the certificate does: something on the way has cut it short')
    checkCount(found.length + 1)
    found.push(base64(rest.slice(begin.length, stop).replace(/\s+/g, '')))
    rest = rest.slice(stop + end.length).trimStart()
  }
  return found
}

function readXfcc(value: string, hops: number): readonly Uint8Array[] {
  const { cert, chain, hash } = readForwardedCertificates(value, hops)
  const all = certificatesOf(cert, chain)
  const [first] = all
  if (hash !== undefined && first !== undefined && createHash('sha256').update(first).digest('hex') !== hash.toLowerCase())
    throw unreadable('has a certificate that is not the one its Hash is of')
  return all
}

function certificatesOf(cert: string | undefined, chain: string | undefined): readonly Uint8Array[] {
  const [first, ...others] = cert === undefined ? [] : readEncodedPem(cert)
  if (others.length > 0) throw unreadable('has a Cert of several certificates')
  const all = chain === undefined ? [] : readEncodedPem(chain)
  if (first !== undefined) return [first, ...all]
  if (all.length > 0) return all
  throw unreadable('has neither Cert nor Chain: switch cert on in set_current_client_cert_details')
}

function listOf(value: string): readonly string[] {
  const items = value.split(',', mostCertificates + 1)
  checkCount(items.length)
  return items.map(item => item.trim())
}

function checkCount(count: number): void {
  if (count > mostCertificates) throw unreadable(`has more than ${mostCertificates} certificates`)
}

function base64(text: string): Uint8Array {
  const bytes = decodeBase64(text)
  if (bytes === undefined) throw unreadable('has something that is not base64 where a certificate should be')
  return bytes
}
