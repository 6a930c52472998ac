/** Uses of what proved a client that are recorded with what its request is answered with. */
import type { LateUse } from '../client-request.ts'
import { TemporarilyUnavailableError, type InvalidClientError } from '../errors.ts'
import { inOneStep } from '../stores/batch.ts'
import type { FirstStep, Store } from '../stores/store.ts'

/**
 * A use that is still to be recorded.
 *
 * @param settle says what came of it; returns the refusal where it was not the first use.
 */
export function lateUse(step: FirstStep, settle: LateUse['settle']): LateUse {
  let settled = false
  const use: LateUse = {
    step,
    get isSettled() {
      return settled
    },
    settle(isFirst) {
      settled = true
      const refusal = settle(isFirst)
      use.ended?.(refusal)
      return refusal
    }
  }
  return use
}

/**
 * Records a use by itself, unless it is settled already.
 *
 * @throws InvalidClientError where it was not the first; TemporarilyUnavailableError where the store cannot tell.
 */
export async function settleNow(use: LateUse, store: Store): Promise<void> {
  if (use.isSettled) return
  let isFirst: boolean
  try {
    isFirst = await inOneStep(store, [use.step])
  } catch (cause) {
    throw new TemporarilyUnavailableError({ reason: `the store could not record the use of a ${use.step.key.kind}`, cause })
  }
  throwRefusal(use.settle(isFirst))
}

/** @throws the refusal, if there is one. */
export function throwRefusal(refusal: InvalidClientError | undefined): void {
  if (refusal !== undefined) throw refusal
}
