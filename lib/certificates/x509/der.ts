/**
 * Reads DER values one after another (X.690 §10), without a tree of them: what is read here has lists whose length
 * somebody else chose, such as the entries of a revocation list or the names of a certificate.
 */

export interface DerValue {
  /** The identifier octet. */
  readonly tag: number
  readonly content: Uint8Array
  /** The content with its header. */
  readonly encoded: Uint8Array
}

/** Bytes that are not DER. `message` is a clause. */
export class DerError extends Error {
  override readonly name = 'DerError'
}

export const derTags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31
} as const

/** The one value these bytes are. @throws {@link DerError} for anything before, after or instead of it. */
export function readDer(bytes: Uint8Array, tag?: number): DerValue {
  const value = valueAt(bytes, 0)
  if (value.encoded.length !== bytes.length) throw new DerError('has something after its end')
  if (tag !== undefined && value.tag !== tag) throw new DerError('is of another type')
  return value
}

/** The values these bytes are, as they are asked for. @throws {@link DerError} */
export function* derValues(bytes: Uint8Array): Generator<DerValue, void, undefined> {
  for (let at = 0; at < bytes.length;) {
    const value = valueAt(bytes, at)
    yield value
    at += value.encoded.length
  }
}

/** The values inside of one that has this tag, `most` of them at most. @throws {@link DerError} */
export function derInside({ tag, content }: DerValue, expected: number, most = 100): readonly DerValue[] {
  if (tag !== expected) throw new DerError('is of another type')
  const values: DerValue[] = []
  for (const value of derValues(content)) {
    if (values.length === most) throw new DerError(`has more than ${most} values in one`)
    values.push(value)
  }
  return values
}

/** An OBJECT IDENTIFIER, dotted. @throws {@link DerError} */
export function derOid({ tag, content }: DerValue): string {
  if (tag !== derTags.oid || ((content.at(-1) ?? 0x80) & 0x80) !== 0) throw new DerError('is no object identifier')
  const arcs: bigint[] = []
  let arc = 0n
  let isFirst = true
  for (const octet of content) {
    if (isFirst && octet === 0x80) throw new DerError('is no object identifier')
    // arcs may be longer than a number is exact: those below 2.25 are UUIDs
    arc = arc * 128n + BigInt(octet & 0x7f)
    isFirst = (octet & 0x80) === 0
    if (!isFirst) continue
    arcs.push(arc)
    arc = 0n
  }
  const [both = 0n, ...others] = arcs
  const first = both < 80n ? both / 40n : 2n
  return [first, both - first * 40n, ...others].join('.')
}

/** A BOOLEAN. @throws {@link DerError} */
export function derBoolean({ tag, content }: DerValue): boolean {
  if (tag !== derTags.boolean || content.length !== 1) throw new DerError('is no boolean')
  return content[0] !== 0
}

/**
 * An INTEGER that counts something: one that is larger than anything here is infinite. @throws {@link DerError} for a
 * negative one too.
 */
export function derCount({ tag, content }: DerValue): number {
  const [first] = content
  if (tag !== derTags.integer || first === undefined || first >= 0x80) throw new DerError('is no count')
  return content.length > 6 ? Infinity : Buffer.from(content).readUIntBE(0, content.length)
}

/** The octets of a BIT STRING of whole octets. @throws {@link DerError} */
export function derOctets({ tag, content }: DerValue): Uint8Array {
  if (tag !== derTags.bitString || content[0] !== 0) throw new DerError('is no string of octets')
  return content.subarray(1)
}

/**
 * Milliseconds since the epoch of a UTCTime or GeneralizedTime, as RFC 5280 §4.1.2.5 has them. @throws {@link DerError}
 */
export function derTime({ tag, content }: DerValue): number {
  const text = Buffer.from(content).toString('latin1')
  const short = tag === derTags.utcTime && /^\d{12}Z$/.test(text)
  if (!short && !(tag === derTags.generalizedTime && /^\d{14}Z$/.test(text))) throw new DerError('has a time that cannot be read')
  // two digits: the years 1950 to 2049
  const digits = short ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text
  const iso = digits.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z')
  const time = Date.parse(iso)
  if (Number.isNaN(time)) throw new DerError('has a time that does not exist')
  return time
}

function valueAt(bytes: Uint8Array, at: number): DerValue {
  const tag = bytes[at]
  const first = bytes[at + 1]
  // 0: the end of an indefinite length; 0x1f: a tag number of several octets, which nothing read here has
  if (tag === undefined || first === undefined || tag === 0 || (tag & 0x1f) === 0x1f)
    throw new DerError('is cut short or not DER')
  let length = first
  let start = at + 2
  if (first >= 0x80) {
    const octets = first & 0x7f
    // 0x80 is BER's indefinite length
    if (octets === 0 || octets > 4 || start + octets > bytes.length) throw new DerError('has a length that cannot be read')
    length = 0
    for (const octet of bytes.subarray(start, start + octets)) length = length * 256 + octet
    start += octets
  }
  const end = start + length
  if (end > bytes.length) throw new DerError('is cut short')
  return { tag, content: bytes.subarray(start, end), encoded: bytes.subarray(at, end) }
}
