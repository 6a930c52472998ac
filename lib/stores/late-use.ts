/** Uses of what proved a client that are recorded with what its request is answered with. */
import { TemporarilyUnavailableError, type InvalidClientError } from '../errors.ts'
import { inOneStep } from './batch.ts'
import type { FirstStep, Store } from './store.ts'

/**
 * The use of what proved a client, such as a `jti`, that is recorded in one step with what the request is answered
 * with. Until then nobody is authenticated, and nothing has been told.
 */
export interface LateUse {
  /** The step that records it, and says no where it was recorded before. */
  readonly step: FirstStep
  /** Whether it is known what came of it. */
  readonly isSettled: boolean
  /**
   * Says what came of the step, once: then the decision is told. Returns what the client is refused with where it was
   * not the first use.
   */
  settle(isFirst: boolean): InvalidClientError | undefined
  /** Told what came of it: the refusal, what kept it from being found out, or nothing. */
  ended?: ((error?: unknown) => void) | undefined
}

/**
 * A use that is still to be recorded.
 *
 * @param settle says what came of it; returns the refusal where it was not the first use.
 */
export function lateUse(step: FirstStep, settle: LateUse['settle']): LateUse {
  return new Unsettled(step, settle)
}

/** A class: V8 keeps an object that was written with an accessor of its own in a slow form. */
class Unsettled implements LateUse {
  isSettled = false
  ended: LateUse['ended'] = undefined
  readonly step: FirstStep
  private readonly judge: LateUse['settle']

  constructor(step: FirstStep, judge: LateUse['settle']) {
    this.step = step
    this.judge = judge
  }

  settle(isFirst: boolean): InvalidClientError | undefined {
    this.isSettled = true
    const refusal = this.judge(isFirst)
    this.ended?.(refusal)
    return refusal
  }
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
