/**
 * A list that grows and shrinks at its end, for millions of values. An array of that length is copied as a whole
 * whenever it has to grow, which stops the process for milliseconds; here no step touches more than one chunk.
 */
const chunkBits = 10
const chunkSize = 2 ** chunkBits

export class ChunkedList<T> {
  private readonly chunks: T[][] = []
  private count = 0

  get length(): number {
    return this.count
  }

  /** Puts a value at the end and answers with its index. */
  push(value: T): number {
    const index = this.count++
    const chunk = this.chunks[index >>> chunkBits]
    if (chunk === undefined) this.chunks.push([value])
    else chunk.push(value)
    return index
  }

  /** Takes the last value off; undefined where there is none. */
  pop(): T | undefined {
    const chunk = this.chunks.at(-1)
    if (chunk === undefined) return undefined
    const value = chunk.pop()
    this.count--
    if (chunk.length === 0) this.chunks.pop()
    return value
  }

  last(): T | undefined {
    return this.chunks.at(-1)?.at(-1)
  }

  /** Puts a value in the place of the one at an index. @throws RangeError where there is none. */
  replace(index: number, value: T): void {
    const chunk = this.chunks[index >>> chunkBits]
    if (chunk === undefined || index >= this.count) throw new RangeError(`there is no value at ${index}`)
    chunk[index & (chunkSize - 1)] = value
  }
}
