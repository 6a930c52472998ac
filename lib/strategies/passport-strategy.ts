/**
 * Passport's strategies, in words of our own: what is declared of this package asks nobody to install types of others'.
 */
import type { Request } from 'express'
import { BasicStrategy } from 'passport-http'
import { Strategy as ClientPasswordStrategy } from 'passport-oauth2-client-password'
import { Strategy } from 'passport'

/** A strategy as Passport runs it. */
export interface PassportStrategy {
  /** The name it is used by. */
  readonly name?: string | undefined
  /** Judges a request, on an object that Passport makes of the strategy for this request alone. */
  authenticate(req: Request, options?: object): void
}

/** The verify callback of the strategies for secrets, with `passReqToCallback`. */
export type Verify = (req: Request, id: string, secret: string, done: (error: unknown, client?: unknown) => void) => void

type SecretStrategy = new (options: { readonly passReqToCallback: true }, verify: Verify) => PassportStrategy

/** Base class of every strategy. */
export const PassportBase: abstract new () => PassportStrategy = Strategy
/** The strategy of `passport-http`. */
export const BasicBase: SecretStrategy = BasicStrategy
/** The strategy of `passport-oauth2-client-password`. */
export const ClientPasswordBase: SecretStrategy = ClientPasswordStrategy
