/**
 * Clients that a function found and that nobody can be: refused like unknown ones, and told to whoever operates the
 * server, once each.
 */
import { ConfigurationError } from '../options.ts'

/** Told of a client; answers whether anybody heard it. */
type MisconfiguredListener = (client_id: string, error: ConfigurationError) => boolean

/** Listeners that are told of the clients of one source, by issuer: a server may be made anew, as tenants are. */
type MisconfiguredListeners = Map<string, MisconfiguredListener>

const listenersOf = new WeakMap<object, MisconfiguredListeners>()

/** @param source what finds the clients. */
export function tellMisconfiguredTo(source: object, issuer: string, listener: MisconfiguredListener): void {
  const listeners = listenersOf.get(source) ?? new Map<string, MisconfiguredListener>()
  listeners.set(issuer, listener)
  listenersOf.set(source, listeners)
}

const mostRemembered = 1000

/** Tells of clients, of the same fault of the same client once. */
export function misconfiguredReport(source: object): (client_id: string, error: ConfigurationError) => void {
  const told = new Map<string, string>()
  return (client_id, error) => {
    if (told.get(client_id) === error.message) return
    // whoever has more than that has other worries than hearing of one twice
    if (told.size >= mostRemembered) told.clear()
    told.set(client_id, error.message)
    const heard = [...(listenersOf.get(source)?.values() ?? [])].map(listener => listener(client_id, error))
    if (!heard.includes(true))
      process.emitWarning(`client ${JSON.stringify(client_id)} is refused: ${error.message}`, 'ClienteleWarning')
  }
}
