/**
 * Named entries that expire and that can be ended in groups: the memory behind the memory store. An expired entry is
 * never found again; the memory of expired and ended ones is given back in small steps, by {@link ExpiringTable.sweep}.
 */
import { ExpiryCalendar, isDueAfter, type Scheduled } from './expiry-calendar.ts'
import { bytesOf, bytesOfText } from './size.ts'
import { ShardedMap } from './sharded-map.ts'

export interface Entry extends Scheduled<Entry> {
  readonly name: string
  /** The value as JSON text; undefined once it was taken: see {@link ExpiringTable.spend}. */
  text: string | undefined
  readonly version: number
  readonly group: Group | undefined
  /** Its neighbours in the group. */
  newer: Entry | undefined
  older: Entry | undefined
}

interface Group {
  readonly name: string
  /** The first of its entries. A list of its own would take more memory than most groups have entries to put in. */
  newest: Entry | undefined
  /** None of its entries is found any more, those included that still await being swept. */
  ended: boolean
}

/** Input of {@link ExpiringTable.place}; times in milliseconds since the epoch. */
export interface Placement {
  readonly text: string | undefined
  readonly expires: number
  readonly group: string | undefined
}

export class ExpiringTable {
  private readonly entries = new ShardedMap<Entry>()
  private readonly groups = new ShardedMap<Group>()
  private readonly calendar = new ExpiryCalendar<Entry>()
  private readonly ended: Group[] = []
  private version = 0
  private count = 0
  private held = 0

  /** Number of entries that take up memory, expired and ended ones that were not swept yet included. */
  get size(): number {
    return this.count
  }

  /** Memory that those take, in bytes. */
  get bytes(): number {
    return this.held
  }

  /** Number of groups that have entries and were not ended. */
  get groupCount(): number {
    return this.groups.size
  }

  /** Whether a placement under this name would take the place of another, found or not. */
  has(name: string): boolean {
    return this.entries.get(name) !== undefined
  }

  /** Memory that a placement under this name would give back, in bytes. */
  bytesUnder(name: string): number {
    const entry = this.entries.get(name)
    return entry === undefined ? 0 : bytesOf(name, entry.text, entry.group)
  }

  find(name: string, now: number): Entry | undefined {
    const entry = this.entries.get(name)
    return entry !== undefined && isLive(entry, now) ? entry : undefined
  }

  /**
   * Makes sure that there is nothing under this name, unless an entry is found under it. Says whether there is nothing.
   */
  vacate(name: string, now: number): boolean {
    const entry = this.entries.get(name)
    if (entry === undefined) return true
    if (isLive(entry, now)) return false
    this.remove(entry)
    return true
  }

  /** Writes an entry in the place of whatever has its name, with a version no entry of this table had before. */
  place(name: string, placement: Placement, now: number): Entry {
    const previous = this.entries.get(name)
    if (previous !== undefined) this.remove(previous)
    const group =
      placement.group === undefined ? undefined : (this.groups.get(placement.group) ?? this.openGroup(placement.group))
    const { text, expires } = placement
    const version = ++this.version
    const older = group?.newest
    const entry: Entry = { name, text, version, group, newer: undefined, older, bucket: undefined, bucketSlot: 0, early: 0 }
    if (older !== undefined) older.newer = entry
    if (group !== undefined) group.newest = entry
    this.entries.set(name, entry)
    this.calendar.schedule(entry, expires, now)
    this.count++
    this.held += bytesOf(name, text, group)
    return entry
  }

  /** Takes the value out of an entry, which stays. Answers with its text. */
  spend(entry: Entry): string | undefined {
    const { text } = entry
    this.held -= bytesOfText(text)
    entry.text = undefined
    return text
  }

  remove(entry: Entry): void {
    this.entries.delete(entry.name)
    this.calendar.cancel(entry)
    this.leaveGroup(entry)
    this.count--
    this.held -= bytesOf(entry.name, entry.text, entry.group)
  }

  /** Ends a group in one step, however many entries it has. */
  endGroup(name: string): void {
    const group = this.groups.get(name)
    if (group === undefined) return
    group.ended = true
    this.groups.delete(name)
    this.ended.push(group)
  }

  /** Gives back the memory of at most `steps` entries that were ended or have expired. */
  sweep(now: number, steps: number): void {
    for (let step = 0; step < steps; step++) {
      const entry = this.nextEnded() ?? this.calendar.due(now)
      if (entry === undefined) return
      this.remove(entry)
    }
  }

  clear(): void {
    this.entries.clear()
    this.groups.clear()
    this.calendar.clear()
    this.ended.length = 0
    this.count = 0
    this.held = 0
  }

  private openGroup(name: string): Group {
    const group: Group = { name, newest: undefined, ended: false }
    this.groups.set(name, group)
    return group
  }

  private leaveGroup(entry: Entry): void {
    const { group, newer, older } = entry
    if (group === undefined) return
    if (newer === undefined) group.newest = older
    else newer.older = older
    if (older !== undefined) older.newer = newer
    // an ended group has left the map already, and another may have its name by now
    if (group.newest === undefined && !group.ended) this.groups.delete(group.name)
  }

  private nextEnded(): Entry | undefined {
    let group = this.ended.at(-1)
    while (group !== undefined) {
      if (group.newest !== undefined) return group.newest
      this.ended.pop()
      group = this.ended.at(-1)
    }
    return undefined
  }
}

function isLive(entry: Entry, now: number): boolean {
  return entry.group?.ended !== true && isDueAfter(entry, now)
}
