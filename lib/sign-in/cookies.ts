/** Cookies of the built-in sign-in: HttpOnly, of this host alone, and never sent along by another site's forms. */
import type { Request, Response } from 'express'

interface Cookie {
  read(req: Pick<Request, 'headers'>): string | undefined
  /** @param seconds how long it lives; undefined: until the browser is closed. */
  write(res: Response, value: string, seconds?: number): void
  clear(res: Response): void
}

/**
 * @param name the last part of its name: with TLS it begins with `__Host-`, which no other host, and nothing without
 * TLS, can set.
 * @param secure whether the server is reached over TLS.
 */
export function cookie(name: string, secure: boolean): Cookie {
  const full = secure ? `__Host-${name}` : name
  const attributes = `; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
  return {
    read({ headers }) {
      const pairs = (headers.cookie ?? '').split(';').map(pair => pair.trim())
      const value = pairs.find(pair => pair.startsWith(`${full}=`))?.slice(full.length + 1)
      return value !== undefined && /^[A-Za-z0-9_-]{32}$/.test(value) ? value : undefined
    },
    write(res, value, seconds) {
      res.append('Set-Cookie', `${full}=${value}${attributes}${seconds === undefined ? '' : `; Max-Age=${seconds}`}`)
    },
    clear(res) {
      res.append('Set-Cookie', `${full}=${attributes}; Max-Age=0`)
    }
  }
}
