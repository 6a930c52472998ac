/**
 * Costly computations: a few at the same time, and each network in its turn, so that one that asks for many keeps only
 * itself waiting.
 */
import { TemporarilyUnavailableError } from '../../errors.ts'

/** Node's thread pool has four threads, and the file system, name resolution and RSA signatures need some of them. */
const mostAtOnce = 2
/** All networks together. */
const mostWaiting = 100
/** Of one network: where more wait than altogether may, others are let in before its last. */
const mostOfNetwork = 50

interface Waiting {
  readonly go: () => void
  readonly refuse: (error: unknown) => void
}

/** Does costly work when it is a network's turn. */
type InItsTurn = <T>(network: string | undefined, compute: () => Promise<T>) => Promise<T>

/**
 * Computes when it is this network's turn.
 *
 * @param network undefined: nobody knows whose it is, and it counts for itself.
 * @throws TemporarilyUnavailableError where too much waits already: told to the network that has most of it waiting.
 */
export const inItsTurn: InItsTurn = turns()

/** The same, with places of their own: what takes long here keeps nobody waiting there. */
export function turns(): InItsTurn {
  let running = 0
  let waiting = 0
  /** Computations that wait, by network. The network whose turn is next comes first. */
  const queues = new Map<string, Waiting[]>()

  function turn(network: string | undefined): Promise<void> {
    const name = network === undefined ? '' : `of ${network}`
    const own = queues.get(name) ?? []
    if (network !== undefined && own.length >= mostOfNetwork) throw overload()
    if (waiting >= mostWaiting) makeRoom(own.length)
    return new Promise((go, refuse) => {
      own.push({ go, refuse })
      queues.set(name, own)
      waiting++
    })
  }

  /** @throws TemporarilyUnavailableError where nobody has more waiting than who asks. */
  function makeRoom(own: number): void {
    let [name, longest]: [string, readonly Waiting[]] = ['', []]
    for (const [of, queue] of queues) if (queue.length > longest.length) [name, longest] = [of, queue]
    if (longest.length <= own + 1) throw overload()
    const last = queues.get(name)?.pop()
    waiting--
    last?.refuse(overload())
  }

  function handOn(): boolean {
    for (const [name, queue] of queues) {
      queues.delete(name)
      const first = queue.shift()
      // back to the end of the line
      if (queue.length > 0) queues.set(name, queue)
      if (first === undefined) continue
      waiting--
      first.go()
      return true
    }
    return false
  }

  return async (network, compute) => {
    if (running < mostAtOnce) running++
    else await turn(network)
    try {
      return await compute()
    } finally {
      // whoever is done hands the place on
      if (!handOn()) running--
    }
  }
}

function overload(): TemporarilyUnavailableError {
  return new TemporarilyUnavailableError({ reason: 'too many secrets of this network wait to be compared already' })
}
