/** Numbers for the kinds of the records in a {@link SeenTable}, which take two bytes there in place of a text. */

/** Numbers are from 1 up to and without this one. */
const kindLimit = 0xffff

export class SeenKinds {
  private readonly numbers = new Map<string, number>()
  private readonly names: string[] = ['']
  private readonly counts: number[] = [0]
  private readonly unused: number[] = []
  private total = 0

  /** Number of records of all kinds. */
  get held(): number {
    return this.total
  }

  /** The number of a kind that has records; undefined where it has none. */
  numberOf(kind: string): number | undefined {
    return this.numbers.get(kind)
  }

  /** Counts one record more and answers with its kind's number; undefined where all numbers are in use. */
  hold(kind: string): number | undefined {
    const number = this.numbers.get(kind) ?? this.enlist(kind)
    if (number === undefined) return undefined
    this.counts[number] = (this.counts[number] ?? 0) + 1
    this.total++
    return number
  }

  /** Counts one record less. The number of a kind that has none left may become another's. */
  release(number: number): void {
    const left = (this.counts[number] ?? 0) - 1
    this.counts[number] = left
    this.total--
    if (left > 0) return
    this.numbers.delete(this.names[number] ?? '')
    this.names[number] = ''
    this.unused.push(number)
  }

  private enlist(kind: string): number | undefined {
    const number = this.unused.pop() ?? this.names.length
    if (number >= kindLimit) return undefined
    this.numbers.set(kind, number)
    this.names[number] = kind
    this.counts[number] = 0
    return number
  }
}
