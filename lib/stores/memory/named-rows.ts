/**
 * Rows of numbers in memory outside the heap, each found by a name among those of one owner. For millions of them: the
 * garbage collector does not walk them, and nothing ever moves more than a 256th of them at once.
 */
import { randomFillSync } from 'node:crypto'
import { Pieces } from './pieces.ts'

/** Where there is no row. */
export const none = -1
/** Columns of a row's own; the user's come after them. */
const place = 0
const spread = 1
const next = 2
export const owner = 3
export const ownColumns = 4

const pageBits = 10
const pageRows = 2 ** pageBits

interface Page {
  readonly words: Int32Array
  readonly doubles: Float64Array
  /** The first row that is not used; the others follow by their `next`. */
  free: number
  used: number
}

/** First rows of chains, by the last bits of a spread; the first bits of it select the shard. */
interface Shard {
  heads: Int32Array
  count: number
}

const shardBits = 8
const smallest = 8

export class NamedRows {
  private readonly width: number
  private readonly pages: (Page | undefined)[] = []
  /** Pages that have unused rows. */
  private readonly open: number[] = []
  private readonly shards = new Array<Shard | undefined>(2 ** shardBits)
  private readonly pieces = new Pieces((row, at) => this.set(row, place, at))
  /** Nobody outside this process can foresee where names meet. */
  private readonly secret = randomFillSync(new Uint32Array(2))
  private rows = 0

  /** @param width columns of each row, {@link ownColumns} among them; an even number where there are doubles. */
  constructor(width: number) {
    this.width = width
  }

  get size(): number {
    return this.rows
  }

  /** Bytes of memory that they take, with their names and texts. */
  get bytes(): number {
    const pages = this.pages.reduce((sum, page) => sum + (page?.words.byteLength ?? 0), 0)
    return this.pieces.bytes + this.shards.reduce((sum, shard) => sum + (shard?.heads.byteLength ?? 0), pages)
  }

  get(row: number, column: number): number {
    return this.pages[row >>> pageBits]?.words[(row & (pageRows - 1)) * this.width + column] ?? none
  }

  set(row: number, column: number, value: number): void {
    const words = this.pages[row >>> pageBits]?.words
    if (words !== undefined) words[(row & (pageRows - 1)) * this.width + column] = value
  }

  /** The number in two columns, the first of which has an even number. */
  getDouble(row: number, column: number): number {
    return this.pages[row >>> pageBits]?.doubles[((row & (pageRows - 1)) * this.width + column) >>> 1] ?? NaN
  }

  setDouble(row: number, column: number, value: number): void {
    const doubles = this.pages[row >>> pageBits]?.doubles
    if (doubles !== undefined) doubles[((row & (pageRows - 1)) * this.width + column) >>> 1] = value
  }

  /** Spreads a name of an owner's over 32 bits. */
  spreadOf(name: string, of: number): number {
    const factor = (this.secret[0] ?? 0) | 1
    let bits = (this.secret[1] ?? 0) ^ of
    for (let index = 0; index < name.length; index++) {
      bits = Math.imul(bits ^ name.charCodeAt(index), factor)
      bits ^= bits >>> 15
    }
    return bits
  }

  /** The row of this name, or {@link none}. @param bits are its spread. */
  find(name: string, of: number, bits = this.spreadOf(name, of)): number {
    const heads = this.shards[bits >>> (32 - shardBits)]?.heads
    if (heads === undefined) return none
    let row = heads[bits & (heads.length - 1)] ?? none
    while (row !== none) {
      if (this.get(row, spread) === bits && this.get(row, owner) === of && this.pieces.isNamed(this.placeOf(row), name)) break
      row = this.get(row, next)
    }
    return row
  }

  /** Adds a row where none has this name; where that throws, nothing has changed. @param bits are its spread. */
  add(name: string, text: string | undefined, of: number, bits: number): number {
    const shard = (this.shards[bits >>> (32 - shardBits)] ??= { heads: new Int32Array(smallest).fill(none), count: 0 })
    if (shard.count === 2 * shard.heads.length) this.resize(shard, shard.heads.length * 2)
    const row = this.allocate()
    try {
      this.set(row, place, this.pieces.write(row, name, text))
    } catch (error) {
      this.release(row)
      throw error
    }
    this.set(row, spread, bits)
    this.set(row, owner, of)
    shard.count++
    this.link(shard.heads, row)
    this.rows++
    return row
  }

  hasText(row: number): boolean {
    return this.pieces.hasTextAt(this.placeOf(row))
  }

  textOf(row: number): string | undefined {
    return this.pieces.textAt(this.placeOf(row))
  }

  /** Writes another text beside the name; where that throws, nothing has changed. */
  rewrite(row: number, text: string | undefined): void {
    if (this.pieces.rewrite(this.placeOf(row), text)) return
    const written = this.pieces.write(row, this.pieces.nameAt(this.placeOf(row)), text)
    // writing may have moved the piece there was
    const before = this.placeOf(row)
    this.set(row, place, written)
    this.pieces.free(before)
  }

  /** Bytes that the name and the text take. */
  bytesOf(row: number): number {
    return this.pieces.bytesAt(this.placeOf(row))
  }

  /** From now on the row is not found by its name, which another may have. */
  withdraw(row: number): void {
    const bits = this.get(row, spread)
    const shard = this.shards[bits >>> (32 - shardBits)]
    if (shard === undefined) return
    const { heads } = shard
    const head = bits & (heads.length - 1)
    const after = this.get(row, next)
    let before = heads[head] ?? none
    if (before === row) heads[head] = after
    else {
      while (this.get(before, next) !== row) before = this.get(before, next)
      this.set(before, next, after)
    }
    if (--shard.count * 2 < heads.length && heads.length > smallest) this.resize(shard, heads.length / 2)
  }

  /** Gives back the memory of a row that was withdrawn. */
  drop(row: number): void {
    this.pieces.free(this.placeOf(row))
    this.rows--
    this.release(row)
  }

  clear(): void {
    this.pages.length = 0
    this.open.length = 0
    this.shards.fill(undefined)
    this.pieces.clear()
    this.rows = 0
  }

  private placeOf(row: number): number {
    return this.get(row, place) >>> 0
  }

  private allocate(): number {
    const number = this.open.at(-1) ?? this.openPage()
    const page = this.pages[number]
    const row = page?.free ?? none
    if (page === undefined || row === none) throw new RangeError(`page ${number} has no row left`)
    page.free = this.get(row, next)
    page.used++
    if (page.free === none) this.open.pop()
    return row
  }

  private release(row: number): void {
    const number = row >>> pageBits
    const page = this.pages[number]
    if (page === undefined) return
    if (page.free === none) this.open.push(number)
    this.set(row, next, page.free)
    page.free = row
    if (--page.used > 0) return
    this.pages[number] = undefined
    this.open.splice(this.open.indexOf(number), 1)
  }

  private openPage(): number {
    const vacant = this.pages.indexOf(undefined)
    const number = vacant === -1 ? this.pages.length : vacant
    const words = new Int32Array(pageRows * this.width)
    const first = number * pageRows
    this.pages[number] = { words, doubles: new Float64Array(words.buffer), free: first, used: 0 }
    for (let row = first; row < first + pageRows; row++) this.set(row, next, row + 1)
    this.set(first + pageRows - 1, next, none)
    this.open.push(number)
    return number
  }

  private link(heads: Int32Array, row: number): void {
    const head = this.get(row, spread) & (heads.length - 1)
    this.set(row, next, heads[head] ?? none)
    heads[head] = row
  }

  private resize(shard: Shard, length: number): void {
    const before = shard.heads
    shard.heads = new Int32Array(length).fill(none)
    for (const head of before) {
      let row = head
      while (row !== none) {
        const after = this.get(row, next)
        this.link(shard.heads, row)
        row = after
      }
    }
  }
}
