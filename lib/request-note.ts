/** Notes of what was found out about a request, kept with it for as long as it lives. */

/** One kind of note. Another object that inherits from a request, or was copied from it, has none of the request's. */
export interface RequestNote<H extends object, T> {
  read(holder: H): T | undefined
  write(holder: H, value: T): T
}

/**
 * A note as a property that only its maker knows the name of. A `WeakMap` would say the same, but V8's collector of
 * young objects takes what is in a young map's table as reachable: with a few notes for each of thousands of requests a
 * second, whole requests grew old before they were collected, at a tenth of all time.
 *
 * @param name for whoever looks at a request in a debugger.
 */
export function requestNote<H extends object, T>(name: string): RequestNote<H, T> {
  const property = Symbol(name)
  return {
    read(holder) {
      const note = (holder as Noted<T>)[property]
      return note?.holder === holder ? note.value : undefined
    },
    write(holder, value) {
      ;(holder as Noted<T>)[property] = { holder, value }
      return value
    }
  }
}

type Noted<T> = Record<symbol, { readonly holder: object; readonly value: T } | undefined>
