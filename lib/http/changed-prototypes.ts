/** Makes requests and responses whose prototype Express has changed cheap to work with again. */
import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * Express gives every request and response another prototype (expressjs/express#5998). V8 then makes a hidden class of
 * its own for each of these objects with every property somebody adds, and no inline cache ever hits: reading
 * `req.headers` takes a hundred times as long, writing the head of an answer thirty times. An object that had a
 * property deleted is kept as a hash table instead, and all such objects share one hidden class. So one property is
 * taken out and put back, which takes two microseconds and saves tens of them, here and in whatever handles the
 * exchange afterwards.
 *
 * Nothing changes but the order of the objects' keys. Where the prototype is still that of the object's class, as on
 * `createServer()`, nothing is done: hidden classes are faster then.
 */
export function settleExchange(req: IncomingMessage, res: ServerResponse): void {
  settle(req, 'statusMessage')
  settle(res, 'shouldKeepAlive')
}

/** @param property one that Node gives every such object as its own. */
function settle<T extends object>(object: T, property: keyof T & string): void {
  const prototype = Object.getPrototypeOf(object) as object | null
  // an application's own prototype has no constructor: it is made with Object.create()
  if (prototype === null || Object.hasOwn(prototype, 'constructor') || !Object.hasOwn(object, property)) return
  const value = object[property]
  if (Reflect.deleteProperty(object, property)) object[property] = value
}
