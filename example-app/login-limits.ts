/** Bounds how often passwords can be guessed. */
import { createHash } from 'node:crypto'
import type { Request, RequestHandler, Response } from 'express'
import { ipKeyGenerator, rateLimit, type Options } from 'express-rate-limit'
import { fieldOf } from './sessions.ts'

const window = 15 * 60_000

/**
 * Ten wrong passwords per name and network, and a hundred per network, in a quarter of an hour; logins that succeed do not
 * count. The second limit also bounds what counting the first one costs.
 */
export function loginLimits(refuse: (req: Request, res: Response) => Promise<void>): RequestHandler[] {
  const shared: Partial<Options> = {
    windowMs: window,
    skipSuccessfulRequests: true,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    handler: (req, res, next) => void refuse(req, res).catch(next)
  }
  const network = (req: Request) => ipKeyGenerator(req.ip ?? '')
  return [
    rateLimit({ ...shared, identifier: 'network', limit: 100, keyGenerator: network }),
    rateLimit({
      ...shared,
      identifier: 'name',
      limit: 10,
      keyGenerator: req => `${network(req)} ${digest(fieldOf(req, 'username') ?? '')}`
    })
  ]
}

function digest(username: string): string {
  return createHash('sha256').update(username).digest('base64url')
}
