/** No operation takes longer than it may. */
import { integer } from '../../options.ts'

/** Rejection of {@link within} when the time is over. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

/**
 * The promise's outcome, or a rejection with {@link DeadlineError} after `milliseconds`. What the promise comes to
 * later is given to `late`, so that nothing is left open, and is otherwise forgotten.
 */
export async function within<T>(promise: Promise<T>, milliseconds: number, late?: (outcome: T) => void): Promise<T> {
  let over = false
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_resolve, reject) => {
    const giveUp = () => {
      over = true
      reject(new DeadlineError('the store did not answer in time'))
    }
    timer = setTimeout(giveUp, Math.max(1, milliseconds))
  })
  promise.then(
    outcome => {
      if (over) late?.(outcome)
    },
    () => undefined
  )
  try {
    return await Promise.race([promise, deadline])
  } finally {
    clearTimeout(timer)
  }
}

/** Milliseconds an operation may take. */
export const timeoutCheck = integer({ min: 1, max: 60_000, default: 2_000, of: 'milliseconds' })
