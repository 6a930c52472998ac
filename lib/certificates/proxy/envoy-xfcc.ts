/**
 * Envoy's `X-Forwarded-Client-Cert`: one element for each proxy that added what it saw, from the farthest to the
 * nearest.
 */
import { unreadable } from './header.ts'

interface ForwardedCertificates {
  /** Percent-encoded PEM. */
  readonly cert: string | undefined
  /** Percent-encoded PEM of the whole chain, the client's certificate included. */
  readonly chain: string | undefined
  /** Hex SHA-256 of the client's certificate. */
  readonly hash: string | undefined
}

/** Keys that count in an element; Envoy repeats By, URI and DNS, and of these a second one would be a guess. */
const single: ReadonlySet<string> = new Set(['cert', 'chain', 'hash'])

interface Element {
  readonly pairs: ReadonlyMap<string, string>
  /** Whether it has what Envoy does not quote. */
  readonly names: boolean
}

/**
 * The certificates of the element that counts: the last one, which the proxy this server talks to has added itself, or
 * with `hops` proxies of one's own behind each other the one the outermost of them added. What is to its left came with
 * the request, from whoever sent it.
 *
 * Envoy writes URI and DNS without quotes, as they stand in a certificate anybody can make: `urn:x,Cert="…"` in one
 * would be an element of the client's own. So there is nothing to the left of what counts where any element has such
 * names; and within an element `hash`, which stands before them, is what the certificate is to be held against.
 *
 * @throws InvalidRequestError for anything that is not well-formed, for fewer elements than `hops`, or for more with
 * names in them.
 */
export function readForwardedCertificates(value: string, hops: number): ForwardedCertificates {
  const elements = readElements(value)
  const element = elements.at(-hops)
  if (element === undefined) throw unreadable(`has ${elements.length} elements, and ${hops} proxies should have added one each`)
  if (elements.length > hops && elements.some(({ names }) => names))
    throw unreadable(
      `has ${elements.length} elements, and URI or DNS in one: a client can write more into those, so say how many proxies add one (hops)`
    )
  return { cert: element.pairs.get('cert'), chain: element.pairs.get('chain'), hash: element.pairs.get('hash') }
}

function readElements(value: string): readonly Element[] {
  const elements: Element[] = []
  let pairs = new Map<string, string>()
  for (let at = 0; ;) {
    const equals = value.indexOf('=', at)
    const key = value.slice(at, Math.max(equals, at)).trim().toLowerCase()
    if (!/^[a-z]{1,20}$/.test(key)) throw unreadable('has something that is no key=value pair')
    const { text, end } = value[equals + 1] === '"' ? readQuoted(value, equals + 2) : readPlain(value, equals + 1)
    if (pairs.has(key) && single.has(key)) throw unreadable(`has ${key} twice in one element`)
    pairs.set(key, text)
    const separator = value[end]
    if (separator !== ';') {
      elements.push({ pairs, names: pairs.has('uri') || pairs.has('dns') })
      pairs = new Map()
    }
    if (separator === undefined) return elements
    at = end + 1
  }
}

/** As far as the next separator. */
function readPlain(value: string, start: number): { readonly text: string; readonly end: number } {
  let end = start
  while (end < value.length && value[end] !== ';' && value[end] !== ',') {
    if (value[end] === '"') throw unreadable('has a quote in the middle of a value')
    end++
  }
  return { text: value.slice(start, end), end }
}

/**
 * A backslash escapes what follows. After the closing quote comes a separator, or nothing: quotes a client sent cannot
 * swallow those of a proxy.
 */
function readQuoted(value: string, start: number): { readonly text: string; readonly end: number } {
  let text = ''
  for (let at = start; at < value.length; at++) {
    const character = value[at] ?? ''
    if (character === '"') {
      const end = at + 1
      if (end < value.length && value[end] !== ';' && value[end] !== ',') throw unreadable('has something after a closing quote')
      return { text, end }
    }
    text += character === '\\' ? (value[++at] ?? '') : character
  }
  throw unreadable('has a quote that is never closed')
}
