/** Makes requests and responses whose prototype Express has changed cheap to work with again. */

/**
 * Express gives every request and response another prototype (expressjs/express#5998). V8 then makes a hidden class of its own for each of these
 * objects with every property somebody adds, and no inline cache ever hits: reading `req.headers` takes a hundred times as long. An object that had a
 * property deleted is kept as a hash table instead, and all such objects share one hidden class. So one property is taken out and put back.
 *
 * Nothing but the order of the object's keys changes. Where the prototype is still that of the object's class, as on `createServer()`, nothing is done:
 * hidden classes are faster then.
 *
 * @param property an own property that every such object has; never absent to anyone, because nothing runs in between.
 */
export function settle<T extends object>(object: T, property: keyof T & string): void {
  const prototype = Object.getPrototypeOf(object) as object | null
  if (prototype === null || Object.hasOwn(prototype, 'constructor') || !Object.hasOwn(object, property)) return
  const value = object[property]
  if (Reflect.deleteProperty(object, property)) object[property] = value
}
