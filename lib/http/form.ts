/** Our own reader of `application/x-www-form-urlencoded`: what the usual ones repair or guess at, this one refuses. */
import { isAscii, isUtf8 } from 'node:buffer'
import { InvalidRequestError } from '../errors.ts'
import { furtherResources, type Parameters } from '../client-request.ts'

/** Names that may be repeated to the caller: nothing in them can be mistaken for anything but a parameter's name. */
const plainName = /^[a-z_.-]{1,40}$/
// eslint-disable-next-line no-control-regex -- matching control characters is the purpose
const controlCharacter = /[\u0000-\u001f\u007f]/

/** No parameter of OAuth's is written on lines. */
const none: ReadonlySet<string> = new Set()

/**
 * Parses a form body. Each name is taken at most once, but `resource` (RFC 8707 §2); one with an empty value counts as
 * not sent (RFC 6749 §3.2), though sending it again is still a repetition. The result has no prototype, so `__proto__`
 * is a name like any other.
 *
 * @param maxParameters how many name-value pairs are read; one more is an error.
 * @param withLines the names of those whose values may have line ends and tabs.
 * @throws {@link InvalidRequestError} for invalid percent-encoding, bytes that are not UTF-8, a repeated name, a
 * control character in a value, or too many parameters.
 */
export function parseForm(body: Uint8Array, maxParameters: number, withLines?: ReadonlySet<string>): Parameters {
  const collector = new ParameterCollector(maxParameters, withLines)
  readPairs(body, 'body', collector)
  return collector.parameters
}

/** A reader that is told of each name and value, in their order. */
interface PairReader {
  add(name: string, value: string): void
}

/**
 * Reads form-encoded bytes pair by pair, of a body or of a query.
 *
 * @throws {@link InvalidRequestError} for invalid percent-encoding and bytes that are not UTF-8, and whatever the
 * reader throws.
 */
export function readPairs(encoded: Uint8Array, part: 'body' | 'query', reader: PairReader): void {
  const text = decodeUtf8(encoded)
  if (text === undefined) {
    throw new InvalidRequestError(`the request ${part} must be UTF-8`, { reason: `the ${part} holds bytes that are not UTF-8` })
  }
  const escaped = text.includes('%') || text.includes('+')
  for (let start = 0; start < text.length;) {
    const ampersand = text.indexOf('&', start)
    const end = ampersand === -1 ? text.length : ampersand
    // `a=1&&b=2` has two pairs, not three
    if (end > start) {
      const pair = text.slice(start, end)
      const equals = pair.indexOf('=')
      const name = equals === -1 ? pair : pair.slice(0, equals)
      const value = equals === -1 ? '' : pair.slice(equals + 1)
      if (escaped) reader.add(decodeOrThrow(name, part), decodeOrThrow(value, part))
      else reader.add(name, value)
    }
    start = end + 1
  }
}

/**
 * Decodes one form-encoded component (RFC 6749 Appendix B); undefined for invalid percent-encoding or invalid UTF-8 in
 * it.
 */
export function decodeComponent(component: string): string | undefined {
  const spaced = component.includes('+') ? component.replaceAll('+', ' ') : component
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    return undefined
  }
}

/**
 * Decodes UTF-8 without repairing it: undefined where the bytes are not UTF-8. A byte order mark is kept as a
 * character.
 */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (isAscii(buffer)) return buffer.toString('latin1')
  return isUtf8(buffer) ? buffer.toString('utf8') : undefined
}

/** True where no OAuth parameter's value may go: control characters (RFC 6749 Appendix A) and halves of characters. */
export function hasForbiddenCharacter(value: string): boolean {
  // half a character is none: JSON can carry one, and every UTF-8 encoder turns it into U+FFFD
  return controlCharacter.test(value) || !value.isWellFormed()
}

/** Gathers parameters under the rules that hold however they were sent. */
export class ParameterCollector implements PairReader {
  readonly parameters: Parameters
  private readonly values: Record<string, string> & { [furtherResources]?: string[] }
  private empty: Set<string> | undefined
  private further: string[] | undefined
  private readonly limit: number
  private readonly withLines: ReadonlySet<string>
  private count = 0

  constructor(maxParameters: number, withLines = none) {
    this.values = Object.create(null) as Record<string, string>
    this.parameters = this.values
    this.limit = maxParameters
    this.withLines = withLines
  }

  /** @throws {@link InvalidRequestError} for one parameter too many, a repeated name or a forbidden character. */
  add(name: string, value: string): void {
    if (++this.count > this.limit) throw tooManyParameters(this.limit)
    if (name in this.values || this.empty?.has(name) === true) {
      if (name === 'resource') this.addResource(value)
      else throw repeatedParameter(name)
      return
    }
    if (value === '') {
      this.empty ??= new Set()
      this.empty.add(name)
      return
    }
    refuseForbiddenCharacter(name, this.withLines.has(name) ? value.replace(/[\t\r\n]/g, ' ') : value)
    this.values[name] = value
  }

  /** RFC 8707 §2: a token may be wanted for more than one resource. */
  private addResource(value: string): void {
    if (value === '') return
    refuseForbiddenCharacter('resource', value)
    if (this.values['resource'] === undefined) this.values['resource'] = value
    else if (this.further === undefined) this.values[furtherResources] = this.further = [value]
    else this.further.push(value)
  }
}

/** @throws {@link InvalidRequestError} where {@link hasForbiddenCharacter}. */
export function refuseForbiddenCharacter(name: string, value: string): void {
  if (!hasForbiddenCharacter(value)) return
  throw new InvalidRequestError(`${describeName(name)} contains a control character`, {
    reason: 'values must hold no control character (U+0000 to U+001F, U+007F) and no lone surrogate (RFC 6749 Appendix A)'
  })
}

/** The error for more parameters than are read. */
export function tooManyParameters(limit: number): InvalidRequestError {
  return new InvalidRequestError('the request has too many parameters', { reason: `more than ${limit} parameters` })
}

/** The error for a parameter sent more than once (RFC 6749 §3.2). */
export function repeatedParameter(name: string): InvalidRequestError {
  return new InvalidRequestError(`${describeName(name)} was sent more than once`, {
    reason: 'each parameter may be sent once, even when it is empty (RFC 6749 §3.2)'
  })
}

/** A name for an error message: as it was sent where it is plain, otherwise not at all. */
export function describeName(name: string): string {
  return plainName.test(name) ? name : 'a parameter'
}

function decodeOrThrow(component: string, part: 'body' | 'query'): string {
  const decoded = decodeComponent(component)
  if (decoded === undefined) {
    throw new InvalidRequestError(`the request ${part} has invalid percent-encoding`, {
      reason:
        'the client must form-encode names and values as UTF-8 (RFC 6749 Appendix B): a % not followed by two hex digits, or bytes that are not UTF-8'
    })
  }
  return decoded
}
