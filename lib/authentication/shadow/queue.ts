/** Trials in turn: few at a time, each for a while at most, and those left out that there is no time for. */

/** Bounds of a queue. */
export interface TrialBounds {
  /** Trials at a time. */
  readonly running: number
  /** Trials that wait for their turn. More are skipped. */
  readonly waiting: number
  /** Milliseconds a trial may take. */
  readonly longest: number
  /** Trials that took longer and have not ended at all yet: with as many everything is skipped. */
  readonly hanging: number
}

const usual: TrialBounds = { running: 8, waiting: 200, longest: 2000, hanging: 100 }

/** Told how a trial ended. Must not throw. */
interface TrialEnd<T> {
  judged(outcome: T): void
  failed(how: 'failed' | 'timed_out' | 'skipped', error?: unknown): void
}

/** Runs a trial in its turn. Never throws, and is not waited for. */
export function trialQueue(bounds = usual): <T>(trial: () => Promise<T>, end: TrialEnd<T>) => void {
  const waiting: (() => void)[] = []
  let running = 0
  let hanging = 0
  const next = (): void => {
    running--
    waiting.shift()?.()
  }
  const start = <T>(trial: () => Promise<T>, end: TrialEnd<T>): void => {
    running++
    let isOver = false
    const over = (tell: () => void): void => {
      if (isOver) {
        hanging--
        return
      }
      isOver = true
      clearTimeout(timer)
      tell()
      next()
    }
    const timer = setTimeout(() => {
      isOver = true
      hanging++
      end.failed('timed_out')
      next()
    }, bounds.longest).unref()
    begun(trial).then(
      outcome => over(() => end.judged(outcome)),
      (error: unknown) => over(() => end.failed('failed', error))
    )
  }
  return (trial, end) => {
    if (hanging >= bounds.hanging || waiting.length >= bounds.waiting) end.failed('skipped')
    else if (running < bounds.running) start(trial, end)
    else waiting.push(() => start(trial, end))
  }
}

/** A trial that throws at once is one that rejects. */
function begun<T>(trial: () => Promise<T>): Promise<T> {
  try {
    return trial()
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new TypeError('what was thrown is no error'))
  }
}
