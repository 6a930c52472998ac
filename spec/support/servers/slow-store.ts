/** A store that is some milliseconds away, and says what it was asked. */
import { memoryStore, type Store } from '../../../lib/index.ts'

interface SlowStore {
  readonly store: Store
  /** The operations and the kinds of records they were about, in order. */
  readonly asked: string[]
}

export function slowStore(milliseconds: number, behind: Store = memoryStore()): SlowStore {
  const asked: string[] = []
  const store = new Proxy(behind, {
    get(target, name: keyof Store) {
      const operation = Reflect.get(target, name) as (...given: unknown[]) => unknown
      return async (...given: unknown[]) => {
        const [key] = given
        if (typeof key === 'object' && key !== null && 'kind' in key) asked.push(`${name} ${String(key.kind)}`)
        await new Promise(resolve => setTimeout(resolve, milliseconds))
        return Reflect.apply(operation, target, given)
      }
    }
  })
  return { store, asked }
}
