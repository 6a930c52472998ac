/** Requests at a pace of their own, whatever the answers take, and the connections they need. */
import { setTimeout as pause } from 'node:timers/promises'
import { Connection } from '../connection.mjs'

/** Milliseconds after which an answer is missing. */
const patience = 30_000

/**
 * Begins work `rate` times a second for so many seconds, each piece when it is due: nothing is put off because an answer is. Resolves when all of it
 * has ended.
 *
 * @param {(index: number, due: number) => Promise<void>} begin never rejects; `due` is on the clock of `performance.now()`
 */
export async function atRate(rate, seconds, begin) {
  const started = performance.now()
  const count = Math.max(1, Math.round(rate * seconds))
  const dueAt = index => started + (index * 1000) / rate
  const pending = new Set()
  for (let index = 0; index < count; index++) {
    const early = dueAt(index) - performance.now()
    if (early > 0) await pause(Math.ceil(early))
    const work = begin(index, dueAt(index)).finally(() => pending.delete(work))
    pending.add(work)
  }
  await Promise.all(pending)
}

/**
 * The parts of a soak in minutes, as `[from, to]`: the first five, the last five, and ten by ten what lies between. Of one that takes less than
 * twenty minutes, a quarter at each end.
 */
export function partsOf(minutes) {
  const edge = Math.min(5, minutes / 4)
  const bounds = [0]
  for (let at = edge; at < minutes - edge; at += 2 * edge) bounds.push(at)
  bounds.push(minutes - edge, minutes)
  return bounds.slice(1).map((to, index) => [bounds[index], to])
}

/** As many keep-alive connections as were ever needed at once, all of them used in turn: none is idle for so long that a server ends it. */
export class Connections {
  #port
  #idle = []

  constructor(port) {
    this.#port = port
  }

  /** Sends a request; rejects where no answer comes. */
  async ask(request) {
    this.#idle = this.#idle.filter(({ isOpen }) => isOpen)
    const connection = this.#idle.shift() ?? (await Connection.open(this.#port))
    let timer
    try {
      const answer = await new Promise((resolve, reject) => {
        timer = setTimeout(() => reject(new Error(`no answer within ${patience / 1000} s`)), patience)
        connection.send(request, (status, body, head) => resolve({ status, body, head }), reject)
      })
      this.#idle.push(connection)
      return answer
    } catch (error) {
      connection.close()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  close() {
    for (const connection of this.#idle) connection.close()
  }
}
