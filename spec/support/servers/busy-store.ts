/** A store that knows how many of its operations were under way at once. */
import type { Store } from '../../../lib/index.ts'

export function busyStore(behind: Store) {
  const operations = { open: 0, most: 0 }
  const store = new Proxy(behind, {
    get(target, name: keyof Store) {
      const operation = Reflect.get(target, name) as (...given: unknown[]) => unknown
      return async (...given: unknown[]): Promise<unknown> => {
        operations.most = Math.max(operations.most, ++operations.open)
        try {
          return await Reflect.apply(operation, target, given)
        } finally {
          operations.open -= 1
        }
      }
    }
  })
  return { store, operations }
}
