/** Members that are made when they are first asked for: of most objects that have them, most never are. */

interface Held<Parts, Members> {
  readonly parts: Parts
  made: Partial<Members> | undefined
}

/**
 * Gives an object members that are made of its parts when they are first asked for, and kept. They are its own, like
 * any others: they are listed, can be copied, and others can be put in their place.
 *
 * The accessors are the same for every object: a closure for each member of each would take more memory than is saved.
 *
 * @param makers what makes each member; none of them makes undefined.
 */
export function lazyMembers<Parts, Members extends object>(makers: {
  readonly [Name in keyof Members]: (parts: Parts) => Members[Name]
}): <Target extends object>(target: Target, parts: Parts) => Target & Members {
  const held = Symbol('held')
  type Holder = Readonly<Record<typeof held, Held<Parts, Members>>>
  const accessorOf = (name: keyof Members): PropertyDescriptor => ({
    enumerable: true,
    configurable: true,
    get(this: Holder) {
      const { [held]: holding } = this
      holding.made ??= {}
      return (holding.made[name] ??= makers[name](holding.parts))
    },
    set(this: Holder, value: unknown) {
      Object.defineProperty(this, name, { value, enumerable: true, configurable: true, writable: true })
    }
  })
  const names = Object.keys(makers) as (keyof Members)[]
  const accessors = Object.fromEntries(names.map(name => [name, accessorOf(name)]))
  return <Target extends object>(target: Target, parts: Parts) => {
    const holding: Held<Parts, Members> = { parts, made: undefined }
    Object.defineProperty(target, held, { value: holding })
    return Object.defineProperties(target, accessors) as Target & Members
  }
}
