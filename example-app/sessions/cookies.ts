/** The cookies of one issuer: out of reach of scripts, of other sites' forms and of the other issuers on this host. */
import { createHash } from 'node:crypto'
import type { Request, Response } from 'express'

export interface Cookies {
  /** The value of a cookie as the browser sent it, if it looks like one of ours. */
  read(req: Request, name: string): string | undefined
  /** It lives until the browser is closed. */
  set(res: Response, name: string, value: string): void
  /** Sets one of several whose names begin alike. Of more than `most` the oldest are cleared. */
  setOneOf(req: Request, res: Response, several: Several, name: string, value: string): void
  clear(res: Response, name: string): void
}

export interface Several {
  readonly beginning: string
  readonly most: number
  /** Seconds. */
  readonly maxAge: number
}

/** Form of every value put into one: base64url and dots between. */
const looksLikeOurs = /^[\w.-]+$/

/**
 * Cookies are named after the issuer and limited to its path, so that issuers on one host, or on other ports of it,
 * never read one another's. SameSite=Lax keeps them out of what other sites post here.
 */
export function cookiesOf(issuer: string, path: string): Cookies {
  const secure = issuer.startsWith('https:')
  const suffix = `-${createHash('sha256').update(issuer).digest('hex').slice(0, 8)}`
  const nameOf = (name: string) => `${secure ? '__Secure-' : ''}${name}${suffix}`
  const first = nameOf('').slice(0, -suffix.length)
  const attributes = { path: path === '' ? '/' : path, httpOnly: true, sameSite: 'lax', secure } as const
  return {
    read: (req, name) => sent(req).get(nameOf(name)),
    set(res, name, value) {
      res.cookie(nameOf(name), value, attributes)
    },
    setOneOf(req, res, { beginning, most, maxAge }, name, value) {
      const own = nameOf(beginning + name)
      // of one path browsers send the oldest first (RFC 6265 §5.4)
      const others = [...sent(req).keys()].filter(
        other => other.startsWith(first + beginning) && other.endsWith(suffix) && other !== own
      )
      for (const oldest of others.slice(0, Math.max(0, others.length - most + 1))) res.clearCookie(oldest, attributes)
      res.cookie(own, value, { ...attributes, maxAge: maxAge * 1000 })
    },
    clear(res, name) {
      res.clearCookie(nameOf(name), attributes)
    }
  }
}

/** Of two cookies of one name the first counts: it is the one of the longer path. */
function sent(req: Request): Map<string, string> {
  const found = new Map<string, string>()
  for (const pair of (req.headers.cookie ?? '').split(';')) {
    const equals = pair.indexOf('=')
    const name = pair.slice(0, equals).trim()
    const value = pair.slice(equals + 1).trim()
    if (equals > 0 && !found.has(name) && looksLikeOurs.test(value)) found.set(name, value)
  }
  return found
}
