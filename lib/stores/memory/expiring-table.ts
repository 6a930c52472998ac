/**
 * Named entries that expire and that can be ended in groups: the memory behind the memory store. An expired entry is
 * never found again; the memory of expired and ended ones is given back in small steps, by {@link ExpiringTable.sweep}.
 * An entry is a row, known by its number until it is removed.
 */
import { ExpiryCalendar } from './expiry-calendar.ts'
import { NamedRows, none, owner, ownColumns } from './named-rows.ts'
import { bytesOfPlaced } from './size.ts'

/** Columns of an entry: its neighbours in the group, and in the calendar; when it expires; its version. */
const newer = ownColumns
const older = newer + 1
const calendarColumns = [older + 1, older + 2] as const
const expiry = older + 3
const written = expiry + 2
const entryColumns = written + 2

/** Columns of a group: the first of its entries, and, where others have an owner, whether it was ended: 1, or none. */
const newest = ownColumns
const isEnded = owner
const groupColumns = newest + 1

/** Input of {@link ExpiringTable.place}; times in milliseconds since the epoch. */
export interface Placement {
  /** The value as JSON text; undefined once it was taken: see {@link ExpiringTable.spend}. */
  readonly text: string | undefined
  readonly expires: number
  readonly group: string | undefined
}

export class ExpiringTable {
  private readonly entries = new NamedRows(entryColumns)
  private readonly groups = new NamedRows(groupColumns)
  private readonly calendar = new ExpiryCalendar(this.entries, calendarColumns)
  private readonly ended: number[] = []
  private version = 0
  private held = 0

  /** Number of entries that take up memory, expired and ended ones that were not swept yet included. */
  get size(): number {
    return this.entries.size
  }

  /** Memory that those take, in bytes. */
  get bytes(): number {
    return this.held
  }

  /** Number of groups that have entries. */
  get groupCount(): number {
    return this.groups.size
  }

  /** Whether a placement under this name would take the place of another, found or not. */
  has(name: string, group?: string): boolean {
    return this.at(name, group) !== none
  }

  /** Memory that a placement under this name would give back, in bytes. */
  bytesUnder(name: string, group?: string): number {
    const entry = this.at(name, group)
    return entry === none ? 0 : this.bytesOf(entry)
  }

  find(name: string, group: string | undefined, now: number): number | undefined {
    const entry = this.at(name, group)
    return entry !== none && this.isLive(entry, now) ? entry : undefined
  }

  /** The value of an entry as JSON text; undefined once it was taken. */
  textOf(entry: number): string | undefined {
    return this.entries.textOf(entry)
  }

  isSpent(entry: number): boolean {
    return !this.entries.hasText(entry)
  }

  versionOf(entry: number): number {
    return this.entries.getDouble(entry, written)
  }

  /**
   * Makes sure that there is nothing under this name, unless an entry is found under it. Says whether there is nothing.
   */
  vacate(name: string, now: number): boolean {
    const entry = this.at(name, undefined)
    if (entry === none) return true
    if (this.isLive(entry, now)) return false
    this.remove(entry)
    return true
  }

  /** Writes an entry in the place of whatever has its name, with a version no entry of this table had before. */
  place(name: string, { text, expires, group }: Placement, now: number): number {
    const within = group === undefined ? none : this.groupNamed(group)
    const spread = this.entries.spreadOf(name, within)
    let entry = this.entries.find(name, within, spread)
    // what may throw comes first: nothing has changed then
    if (entry === none) entry = this.addTo(within, name, text, spread)
    else {
      this.rewrite(entry, text)
      this.held -= this.bytesOf(entry)
      this.calendar.cancel(entry)
    }
    this.entries.setDouble(entry, expiry, expires)
    this.entries.setDouble(entry, written, ++this.version)
    this.calendar.schedule(entry, expires, now)
    this.held += this.bytesOf(entry)
    return entry
  }

  /** Takes the value out of an entry, which stays. Answers with its text. */
  spend(entry: number): string | undefined {
    const text = this.entries.textOf(entry)
    this.rewrite(entry, undefined)
    return text
  }

  remove(entry: number): void {
    this.held -= this.bytesOf(entry)
    this.calendar.cancel(entry)
    this.leave(entry)
    this.entries.withdraw(entry)
    this.entries.drop(entry)
  }

  /** Ends a group in one step, however many entries it has. */
  endGroup(name: string): void {
    const group = this.groups.find(name, none)
    if (group === none) return
    this.groups.set(group, isEnded, 1)
    // another may have its name from now on, and what is sought in that is not found in this
    this.groups.withdraw(group)
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
    this.held = 0
  }

  private at(name: string, group: string | undefined): number {
    const within = group === undefined ? none : this.groups.find(group, none)
    return group !== undefined && within === none ? none : this.entries.find(name, within)
  }

  private isLive(entry: number, now: number): boolean {
    return this.entries.getDouble(entry, expiry) > now
  }

  private bytesOf(entry: number): number {
    return bytesOfPlaced(this.entries.bytesOf(entry), this.entries.get(entry, owner) !== none)
  }

  private rewrite(entry: number, text: string | undefined): void {
    const before = this.bytesOf(entry)
    this.entries.rewrite(entry, text)
    this.held += this.bytesOf(entry) - before
  }

  private addTo(group: number, name: string, text: string | undefined, spread: number): number {
    try {
      const entry = this.entries.add(name, text, group, spread)
      this.enter(entry, group)
      return entry
    } catch (error) {
      if (group !== none) this.forgetEmpty(group)
      throw error
    }
  }

  private groupNamed(name: string): number {
    const spread = this.groups.spreadOf(name, none)
    const known = this.groups.find(name, none, spread)
    if (known !== none) return known
    const group = this.groups.add(name, undefined, none, spread)
    this.groups.set(group, newest, none)
    return group
  }

  private enter(entry: number, group: number): void {
    if (group === none) return
    const before = this.groups.get(group, newest)
    this.entries.set(entry, newer, none)
    this.entries.set(entry, older, before)
    if (before !== none) this.entries.set(before, newer, entry)
    this.groups.set(group, newest, entry)
  }

  private leave(entry: number): void {
    const group = this.entries.get(entry, owner)
    if (group === none) return
    const above = this.entries.get(entry, newer)
    const below = this.entries.get(entry, older)
    if (above === none) this.groups.set(group, newest, below)
    else this.entries.set(above, older, below)
    if (below !== none) this.entries.set(below, newer, above)
    this.forgetEmpty(group)
  }

  private forgetEmpty(group: number): void {
    // one that was ended goes when it is next looked at
    if (this.groups.get(group, newest) !== none || this.groups.get(group, isEnded) === 1) return
    this.groups.withdraw(group)
    this.groups.drop(group)
  }

  private nextEnded(): number | undefined {
    let group = this.ended.at(-1)
    while (group !== undefined) {
      const entry = this.groups.get(group, newest)
      if (entry !== none) return entry
      this.ended.pop()
      this.groups.drop(group)
      group = this.ended.at(-1)
    }
    return undefined
  }
}
