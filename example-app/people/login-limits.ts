/** Bounds how often passwords, and the short codes of devices, can be guessed. */
import { createHash } from 'node:crypto'
import type { Request, RequestHandler, Response } from 'express'
import { ipKeyGenerator, rateLimit, type Options } from 'express-rate-limit'
import { fieldOf } from '../sessions/forms.ts'

const window = 15 * 60_000

export const tooManyAttempts = 'Too many attempts. Wait a quarter of an hour and try again.'

/**
 * Ten wrong passwords per name and network, and a hundred per network, in a quarter of an hour; logins that succeed do
 * not count. The second limit also bounds what counting the first one costs.
 */
export function loginLimits(refuse: (req: Request, res: Response) => Promise<void>): RequestHandler[] {
  return [
    networkLimit('network', refuse),
    rateLimit({
      ...failuresWithin(refuse),
      identifier: 'name',
      limit: 10,
      keyGenerator: req => `${network(req)} ${digest(fieldOf(req, 'username') ?? '')}`
    })
  ]
}

/** A hundred failures per network in a quarter of an hour. */
export function networkLimit(identifier: string, refuse: (req: Request, res: Response) => void | Promise<void>): RequestHandler {
  return rateLimit({ ...failuresWithin(refuse), identifier, limit: 100, keyGenerator: network })
}

function failuresWithin(refuse: (req: Request, res: Response) => void | Promise<void>): Partial<Options> {
  return {
    windowMs: window,
    skipSuccessfulRequests: true,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    handler(req, res, next) {
      const refused = async () => refuse(req, res)
      void refused().catch(next)
    }
  }
}

function network(req: Request): string {
  return ipKeyGenerator(req.ip ?? '')
}

function digest(username: string): string {
  return createHash('sha256').update(username).digest('base64url')
}
