/**
 * Binding to an attested instance of a client: what was given to it is good for that instance alone (attestation draft
 * §10.3, §10.4).
 */
import type { ClientAuthentication } from '../client-request.ts'
import { InvalidGrantError } from '../errors.ts'

/** Whether something bound to an instance, if it is, may be used by whoever authenticated like this. */
export function isOfInstance(bound: string | undefined, authentication: ClientAuthentication | undefined): boolean {
  return bound === undefined || bound === authentication?.instance
}

/** @throws InvalidGrantError where it may not. @param what names it to the client, such as `code`. */
export function checkInstance(what: string, bound: string | undefined, authentication: ClientAuthentication): void {
  if (isOfInstance(bound, authentication)) return
  throw new InvalidGrantError(`this ${what} is bound to another instance of the client`, {
    reason: `it was given to the instance jkt:${bound ?? ''}, and the request is of ${authentication.instance === undefined ? 'none' : `jkt:${authentication.instance}`}`
  })
}
