/**
 * Named entries that expire and that can be ended in groups: the memory behind the memory store. An expired entry is
 * never found again; the memory of expired and ended ones is given back in small steps, by {@link ExpiringTable.sweep}.
 */
import { ExpiryCalendar, type Scheduled } from './expiry-calendar.ts'
import { bytesOf, bytesOfText } from './size.ts'
import { ShardedMap } from './sharded-map.ts'

export interface Entry extends Scheduled<Entry> {
  readonly name: string
  /** The value as JSON text; undefined once it was taken: see {@link ExpiringTable.spend}. */
  text: string | undefined
  readonly version: number
  readonly group: Group | undefined
  groupSlot: number
}

interface Group {
  readonly name: string
  readonly entries: Entry[]
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
    const entry: Entry = { name, text, version: ++this.version, expires, group, groupSlot: 0, bucket: undefined, bucketSlot: 0 }
    if (group !== undefined) entry.groupSlot = group.entries.push(entry) - 1
    this.entries.set(name, entry)
    this.calendar.schedule(entry, now)
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
    const group: Group = { name, entries: [], ended: false }
    this.groups.set(name, group)
    return group
  }

  private leaveGroup(entry: Entry): void {
    const { group } = entry
    if (group === undefined) return
    const last = group.entries.pop()
    if (last !== undefined && last !== entry) {
      group.entries[entry.groupSlot] = last
      last.groupSlot = entry.groupSlot
    }
    // an ended group has left the map already, and another may have its name by now
    if (group.entries.length === 0 && !group.ended) this.groups.delete(group.name)
  }

  private nextEnded(): Entry | undefined {
    let group = this.ended.at(-1)
    while (group !== undefined) {
      const entry = group.entries.at(-1)
      if (entry !== undefined) return entry
      this.ended.pop()
      group = this.ended.at(-1)
    }
    return undefined
  }
}

function isLive({ expires, group }: Entry, now: number): boolean {
  return expires > now && group?.ended !== true
}
