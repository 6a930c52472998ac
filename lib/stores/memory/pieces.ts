/**
 * Names with their texts in memory outside the heap, which the garbage collector neither walks nor moves: pieces, one
 * after the other, in segments. A segment that is full, and of which more than a quarter is no longer needed, is given
 * back once the others of its pieces have been moved.
 */

/** A piece is a number of units, and its place is counted in them: four bytes each. */
const unit = 4
const segmentBits = 14
const segmentUnits = 2 ** segmentBits
/** What is larger has a segment of its own. */
const largest = segmentUnits / 2
const smallestSegment = segmentUnits / 8
/** A place has 32 bits. */
const mostSegments = 2 ** 32 / segmentUnits

/** Words at the beginning of each piece: its owner, and the codes of its name and text. */
const nameCode = 1
const textCode = 2
const header = 3
const nobody = -1
const noText = -1

interface Segment {
  readonly bytes: Buffer
  readonly words: Int32Array
  /** Units that pieces were put into, and units of those that are needed. */
  end: number
  live: number
}

/** Bytes that a piece takes. */
export function bytesOfPiece(name: string, text: string | undefined): number {
  return unit * unitsOf(codeOf(name), text === undefined ? noText : codeOf(text))
}

export class Pieces {
  private readonly segments: (Segment | undefined)[] = []
  private readonly vacant: number[] = []
  /** The segment that pieces are put into. */
  private current = -1
  private readonly moved: (owner: number, place: number) => void

  /** @param moved is told where the piece of this owner is from now on. */
  constructor(moved: (owner: number, place: number) => void) {
    this.moved = moved
  }

  /** Bytes of memory that all of them take, those that wait to be given back included. */
  get bytes(): number {
    return this.segments.reduce((sum, segment) => sum + (segment?.bytes.length ?? 0), 0)
  }

  /** Writes a piece, and answers with its place until it is moved. */
  write(owner: number, name: string, text: string | undefined): number {
    const codes = [codeOf(name), text === undefined ? noText : codeOf(text)] as const
    const place = this.allocate(unitsOf(...codes))
    const { bytes, words } = this.segmentAt(place)
    const at = place & (segmentUnits - 1)
    words[at] = owner
    words[at + nameCode] = codes[0]
    words[at + textCode] = codes[1]
    put(bytes, unit * (at + header), name, codes[0])
    if (text !== undefined) put(bytes, unit * (at + header) + bytesOf(codes[0]), text, codes[1])
    return place
  }

  /** Writes another text in the place of a piece's. Says whether it did: one of another length has no room there. */
  rewrite(place: number, text: string | undefined): boolean {
    const { bytes, words } = this.segmentAt(place)
    const at = place & (segmentUnits - 1)
    const name = words[at + nameCode] ?? 0
    const code = text === undefined ? noText : codeOf(text)
    if (unitsOf(name, code) !== unitsOf(name, words[at + textCode] ?? noText)) return false
    words[at + textCode] = code
    if (text !== undefined) put(bytes, unit * (at + header) + bytesOf(name), text, code)
    return true
  }

  isNamed(place: number, name: string): boolean {
    const { bytes, words } = this.segmentAt(place)
    const at = place & (segmentUnits - 1)
    const code = words[at + nameCode] ?? 0
    if (code >>> 1 !== name.length) return false
    const start = unit * (at + header)
    if (isWide(code)) return taken(bytes, start, code) === name
    for (let index = 0; index < name.length; index++) if (bytes[start + index] !== name.charCodeAt(index)) return false
    return true
  }

  nameAt(place: number): string {
    const { bytes, words } = this.segmentAt(place)
    const at = place & (segmentUnits - 1)
    return taken(bytes, unit * (at + header), words[at + nameCode] ?? 0)
  }

  hasTextAt(place: number): boolean {
    return this.segmentAt(place).words[(place & (segmentUnits - 1)) + textCode] !== noText
  }

  textAt(place: number): string | undefined {
    const { bytes, words } = this.segmentAt(place)
    const at = place & (segmentUnits - 1)
    const code = words[at + textCode] ?? noText
    return code === noText ? undefined : taken(bytes, unit * (at + header) + bytesOf(words[at + nameCode] ?? 0), code)
  }

  /** Bytes that the piece takes. */
  bytesAt(place: number): number {
    return unit * this.unitsAt(place)
  }

  /** Gives back the memory of a piece. Others may be moved. */
  free(place: number): void {
    const number = place >>> segmentBits
    const segment = this.segmentAt(place)
    segment.words[place & (segmentUnits - 1)] = nobody
    segment.live -= this.unitsAt(place)
    if (number !== this.current) this.settle(number, segment)
    else if (segment.live === 0) segment.end = 0
  }

  clear(): void {
    this.segments.length = 0
    this.vacant.length = 0
    this.current = -1
  }

  private unitsAt(place: number): number {
    const { words } = this.segmentAt(place)
    const at = place & (segmentUnits - 1)
    return unitsOf(words[at + nameCode] ?? 0, words[at + textCode] ?? noText)
  }

  private segmentAt(place: number): Segment {
    const segment = this.segments[place >>> segmentBits]
    if (segment === undefined) throw new RangeError(`there is no piece at ${place}`)
    return segment
  }

  private allocate(units: number): number {
    let number = this.current
    const current = this.segments[number]
    if (units > largest) number = this.open(units)
    else if (current === undefined || current.end + units > current.words.length) {
      const length = Math.min(segmentUnits, 2 * (current?.words.length ?? smallestSegment / 2))
      this.current = this.open(Math.max(length, units))
      if (current !== undefined) this.settle(number, current)
      // what was moved may have filled it
      return this.allocate(units)
    }
    const start = number * segmentUnits
    const segment = this.segmentAt(start)
    const place = start + segment.end
    segment.end += units
    segment.live += units
    return place
  }

  private open(units: number): number {
    const number = this.vacant.at(-1) ?? this.segments.length
    if (number === mostSegments) throw new Error('the memory store is full: it has no address for one record more')
    // may throw: nothing has changed yet
    const bytes = Buffer.allocUnsafeSlow(unit * units)
    this.vacant.pop()
    this.segments[number] = { bytes, words: new Int32Array(bytes.buffer), end: 0, live: 0 }
    return number
  }

  private drop(number: number): void {
    this.segments[number] = undefined
    this.vacant.push(number)
  }

  /** Gives back a segment that is not put into any more, where too little of it is needed. */
  private settle(number: number, segment: Segment): void {
    if (segment.live === 0) this.drop(number)
    else if (segment.live * 4 < segment.end * 3) {
      try {
        this.empty(number, segment)
      } catch {
        // there is no memory to move the rest to: it stays until something more of it goes
      }
    }
  }

  private empty(number: number, segment: Segment): void {
    const { words, end } = segment
    let at = 0
    while (at < end) {
      const units = unitsOf(words[at + nameCode] ?? 0, words[at + textCode] ?? noText)
      const owner = words[at] ?? nobody
      if (owner !== nobody) {
        const place = this.allocate(units)
        this.segmentAt(place).words.set(words.subarray(at, at + units), place & (segmentUnits - 1))
        this.moved(owner, place)
        words[at] = nobody
        segment.live -= units
      }
      at += units
    }
    this.drop(number)
  }
}

/** How a string is kept: its length, and whether its characters take two bytes each. */
function codeOf(text: string): number {
  return (text.length << 1) | (Buffer.byteLength(text) === text.length ? 0 : 1)
}

function isWide(code: number): boolean {
  return (code & 1) === 1
}

function bytesOf(code: number): number {
  return code === noText ? 0 : (code >>> 1) << (code & 1)
}

function unitsOf(name: number, text: number): number {
  return header + Math.ceil((bytesOf(name) + bytesOf(text)) / unit)
}

function put(bytes: Buffer, at: number, text: string, code: number): void {
  bytes.write(text, at, isWide(code) ? 'utf16le' : 'latin1')
}

function taken(bytes: Buffer, at: number, code: number): string {
  return bytes.toString(isWide(code) ? 'utf16le' : 'latin1', at, at + bytesOf(code))
}
