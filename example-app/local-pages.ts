/**
 * The pages of this server's own that people sign in to, and the way back to them: by name, so that it leads nowhere
 * else.
 */
import type { Request } from 'express'
import { fieldOf } from './sessions/forms.ts'

/** Purpose of each page, after "Sign in …". */
const purposes = {
  account: 'to see which applications you gave access',
  'account/clients': 'to see what applications prove themselves with',
  decisions: 'to see why applications were refused',
  device: 'to connect a device',
  ciba: 'to see what applications ask of you'
} as const

export interface LocalPage {
  readonly page: keyof typeof purposes
  /** The code a person came with: not more than what they could have typed. */
  readonly user_code?: string | undefined
}

const longestUserCode = 64

export function purposeOf({ page }: LocalPage): string {
  return purposes[page]
}

export function addressOf(base: string, { page, user_code }: LocalPage): string {
  return `${base}/${page}${user_code === undefined ? '' : `?user_code=${encodeURIComponent(user_code)}`}`
}

/** The page a login form was shown for; undefined where it was an application's request. */
export function localPageOf(req: Request): LocalPage | undefined {
  const page = fieldOf(req, 'page')
  if (page === undefined || !Object.hasOwn(purposes, page)) return undefined
  return { page: page as LocalPage['page'], user_code: page === 'device' ? userCodeFrom(fieldOf(req, 'user_code')) : undefined }
}

/** A user code of a form or an address as it came; undefined where there is none, or nobody can have meant it. */
export function userCodeFrom(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= longestUserCode ? value : undefined
}
