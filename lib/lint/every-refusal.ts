/** Everything that is wrong with a value, by a check that says one thing at a time and stops. */

/** One thing that is wrong. */
export interface Refusal {
  /** The path of the member, such as `clients[3].jwks_uri`. */
  readonly path: string
  /** What it must be. */
  readonly mustBe: string
}

/** How to go on where a member cannot be left out. */
export interface RefusalsOptions {
  /** By name, what stands in for members of the value itself that must be there. Default: nothing. */
  readonly standIns?: Readonly<Record<string, unknown>> | undefined
  /** The most things to look for. Default 200. */
  readonly most?: number | undefined
}

/** A value without what was found wrong, and what the places in its lists were before. */
interface Pruned {
  readonly value: unknown
  /** By the path of a list: the positions of those that are left. */
  readonly kept: ReadonlyMap<string, readonly number[]>
}

type Step = string | number

/**
 * Everything `check` refuses: what it refuses first is left out of the value, and it is asked again, until it has nothing more to say. What is refused only
 * because something was left out is not told.
 *
 * @example
 * await everyRefusal(options, async value => { try { authorizationServer(value) } catch (error) { return refusalOf(error) } })
 */
export async function everyRefusal(
  given: unknown,
  check: (value: unknown) => Promise<Refusal | undefined>,
  { standIns = {}, most = 200 }: RefusalsOptions = {}
): Promise<readonly Refusal[]> {
  const found: Refusal[] = []
  const removed = new Set<string>()
  for (let round = 0; round < most * 2 && found.length < most; round++) {
    const pruned = without(given, removed, standIns)
    const refusal = await check(pruned.value)
    if (refusal === undefined) break
    const path = originalPath(refusal.path, pruned)
    if (!found.some(one => one.path === path) && !isConsequence({ ...refusal, path }, removed)) found.push({ ...refusal, path })
    const before = removed.size
    for (const place of toRemove({ ...refusal, path }, pruned.value, removed, standIns)) removed.add(place)
    if (removed.size === before) break
  }
  return found
}

function stepsOf(path: string): readonly Step[] {
  return [...path.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, name]) =>
    index === undefined ? (name ?? '') : Number(index)
  )
}

function pathOf(steps: readonly Step[]): string {
  return steps.map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${step}`)).join('')
}

function parentOf(path: string): string {
  return pathOf(stepsOf(path).slice(0, -1))
}

function without(given: unknown, removed: ReadonlySet<string>, standIns: Readonly<Record<string, unknown>>): Pruned {
  const kept = new Map<string, readonly number[]>()
  const copy = (value: unknown, steps: readonly Step[]): unknown => {
    const place = pathOf(steps)
    // nothing was left out below here: functions, keys and stores stay what they are
    if (![...removed].some(path => path.startsWith(place))) return value
    if (Array.isArray(value)) {
      const left = value.map((_, index) => index).filter(index => !removed.has(pathOf([...steps, index])))
      kept.set(place, left)
      return left.map(index => copy(value[index], [...steps, index]))
    }
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).filter(([name]) => !removed.has(pathOf([...steps, name])))
    return Object.fromEntries(entries.map(([name, member]) => [name, copy(member, [...steps, name])]))
  }
  const value = copy(given, [])
  const isObject = typeof value === 'object' && value !== null
  const needed = Object.entries(standIns).filter(([name]) => removed.has(name))
  return { value: isObject ? { ...value, ...Object.fromEntries(needed) } : value, kept }
}

/** A path in the pruned value, as it is in the whole one. */
function originalPath(path: string, { kept }: Pruned): string {
  const steps: Step[] = []
  for (const step of stepsOf(path)) {
    steps.push(typeof step === 'number' ? (kept.get(pathOf(steps))?.[step] ?? step) : step)
  }
  return pathOf(steps)
}

/** Whether something is wrong only because of what was left out. */
function isConsequence({ path, mustBe }: Refusal, removed: ReadonlySet<string>): boolean {
  const parent = parentOf(path)
  return [...removed].some(place => {
    if (place === path || place.startsWith(`${path}[`) || place.startsWith(`${path}.`)) return true
    const name = stepsOf(place).at(-1)
    if (parent === '' || typeof name !== 'string' || parentOf(place) !== parent) return false
    return mustBe.includes(name) || mustBe.includes('must be given') || mustBe.startsWith('or ')
  })
}

/** What to leave out next: the member, what it does not go with, or what holds it. */
function toRemove(
  { path, mustBe }: Refusal,
  value: unknown,
  removed: ReadonlySet<string>,
  standIns: Readonly<Record<string, unknown>>
): readonly string[] {
  const isThere = at(value, stepsOf(path)) !== undefined && !removed.has(path)
  if (isThere) return [path]
  const parent = parentOf(path)
  if (parent === '') return Object.hasOwn(standIns, path) ? [path] : Object.keys(standIns)
  const siblings = Object.keys((at(value, stepsOf(parent)) as object | undefined) ?? {})
  const named = siblings.filter(name => !removed.has(`${parent}.${name}`) && new RegExp(`\\b${name}\\b`).test(mustBe))
  return named.length > 0 && !parent.endsWith(']') ? named.map(name => `${parent}.${name}`) : [parent]
}

function at(value: unknown, steps: readonly Step[]): unknown {
  return steps.reduce<unknown>(
    (found, step) => (typeof found === 'object' && found !== null ? (found as Readonly<Record<Step, unknown>>)[step] : undefined),
    value
  )
}
