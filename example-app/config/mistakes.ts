/** Every mistake of a configuration at once: each one found is taken out, and what is left is tried again. */
import { ConfigError } from './config-error.ts'

/** Most attempts at one file: with more mistakes than this it needs to be written anew. */
const mostRounds = 500

/**
 * Stand in for an issuer that is none, so that the rest can be tried: the second where only an https issuer has such
 * listeners. They allow what only some issuers allow.
 */
const anyIssuer = ['http://localhost', 'https://localhost'] as const

/**
 * What clients may be configured or registered for follows from these settings. Where one of them was wrong and is out,
 * it cannot be said what clients lack.
 */
const offering = /^(?:policy\.grant_types|workload_issuers|trust_domains|attesters|tls|client_certificate_header)(?:[.[]|$)/
/** Those of them that every tenant has from the issuer above it. */
const shared = /^(?:tls|client_certificate_header)(?:[.[]|$)/
const offered =
  /^(?:clients\[\d+\]\.(?:grant_types|token_endpoint_auth_method|credentials\[\d+\]\.method)|policy\.registration_grant_types)(?:[.[]|$)/

/** Mistakes of a configuration, and the rest of it without them. */
interface Mistakes {
  /** In the order in which they were found, by their paths in the file; none where nothing is wrong. */
  readonly errors: readonly ConfigError[]
  /** The configuration without them. */
  readonly rest: unknown
  /** The path in the file of what has this path in the rest. */
  readonly originalPath: (path: string) => string
}

/**
 * Tries a configuration, without what was found wrong so far, until nothing new is found. What follows from a mistake
 * already found, such as a member missing because it was taken out, is not told again.
 *
 * @param input the file as it was parsed; it is left as it is.
 * @param tryOut starts what the configuration describes as far as that needs no other system, and rejects with a {@link
 * ConfigError} where it cannot.
 */
export async function everyMistake(input: unknown, tryOut: (input: unknown) => unknown): Promise<Mistakes> {
  const tree = new PrunedTree(structuredClone(input))
  const found: { readonly steps: Steps; readonly error: ConfigError }[] = []
  for (let round = 0; round < mostRounds; round += 1) {
    const error = await failureOf(() => tryOut(tree.root))
    if (error === undefined) break
    const steps = tree.originalOf(stepsOf(error.path))
    const follows = found.some(
      known => isSameOrWithin(known.steps, steps) || isSameOrWithin(steps, known.steps) || mayFollow(known.steps, steps)
    )
    if (!follows && !tree.lacksWhatWasTaken(steps)) found.push({ steps, error: new ConfigError(pathOf(steps), error.mustBe) })
    if (!tree.prune(steps)) break
  }
  return {
    errors: found.map(({ error }) => error),
    rest: tree.root,
    originalPath: path => pathOf(tree.originalOf(stepsOf(path)))
  }
}

async function failureOf(tryOut: () => unknown): Promise<ConfigError | undefined> {
  try {
    await tryOut()
    return undefined
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
}

type Steps = readonly (string | number)[]

interface Step {
  readonly holder: object
  readonly step: string | number
}

/** A configuration out of which things are taken; what is left is still found by the place it had in the file. */
class PrunedTree {
  root: unknown
  /** The places that the items of a shortened list had. */
  private readonly places = new WeakMap<readonly unknown[], number[]>()
  /** The items of lists out of which something was taken. */
  private readonly shortened = new WeakSet<object>()

  constructor(root: unknown) {
    this.root = root
  }

  /** The path in the file of what has this path now. */
  originalOf(steps: Steps): Steps {
    let at = this.root
    return steps.map(step => {
      const original = Array.isArray(at) && typeof step === 'number' ? this.placesOf(at)[step] : step
      at = child(at, step)
      return original ?? step
    })
  }

  /**
   * Takes out what had this path; where it is not there, for it had to be, what it is a member of. False: nothing can
   * be taken out any more.
   */
  prune(original: Steps): boolean {
    if (original[0] === 'issuer') return this.replaceIssuer()
    const way = this.wayTo(original)
    const last = way.at(-1)
    if (last === undefined) return false
    const item = itemOn(way.slice(0, -1))
    if (item !== undefined) this.shortened.add(item)
    this.remove(last.holder, last.step)
    return true
  }

  /**
   * Whether it is missing in an item, such as a client, that something was taken out of: it may be needed in its place
   * only.
   */
  lacksWhatWasTaken(original: Steps): boolean {
    const way = this.wayTo(original)
    const item = itemOn(way)
    return way.length < original.length && item !== undefined && this.shortened.has(item)
  }

  /** As far as there is anything. */
  private wayTo(original: Steps): readonly Step[] {
    const way: Step[] = []
    let at = this.root
    for (const step of original) {
      const now = Array.isArray(at) && typeof step === 'number' ? this.placesOf(at).indexOf(step) : step
      if (typeof at !== 'object' || at === null || now === -1 || !Object.hasOwn(at, now)) break
      way.push({ holder: at, step: now })
      at = child(at, now)
    }
    return way
  }

  private replaceIssuer(): boolean {
    if (typeof this.root !== 'object' || this.root === null) return false
    if (anyIssuer.some(known => known === child(this.root, 'issuer'))) return false
    const tls = child(this.root, 'tls')
    const isHttps = typeof tls === 'object' && tls !== null && child(tls, 'port') === undefined
    this.root = { ...this.root, issuer: anyIssuer[isHttps ? 1 : 0] }
    return true
  }

  private remove(holder: object, step: string | number): void {
    if (Array.isArray(holder)) {
      this.placesOf(holder).splice(Number(step), 1)
      holder.splice(Number(step), 1)
    } else Reflect.deleteProperty(holder, step)
  }

  private placesOf(list: readonly unknown[]): number[] {
    const known = this.places.get(list) ?? list.map((_item, index) => index)
    this.places.set(list, known)
    return known
  }
}

/** The innermost object of a list. */
function itemOn(way: readonly Step[]): object | undefined {
  const inList = way.findLast(({ holder, step }) => Array.isArray(holder) && typeof child(holder, step) === 'object')
  const item = inList === undefined ? undefined : child(inList.holder, inList.step)
  return typeof item === 'object' && item !== null ? item : undefined
}

function child(value: unknown, step: string | number): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, step)
    ? (value as Record<string | number, unknown>)[step]
    : undefined
}

/** `clients[3].jwks_uri` as steps. */
function stepsOf(path: string): Steps {
  return [...path.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([name, index]) => (index === undefined ? name : Number(index)))
}

/** Steps as `clients[3].jwks_uri`. */
export function pathOf(steps: readonly PropertyKey[]): string {
  return steps
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${String(step)}`))
    .join('')
}

/** Whether something may be wrong for no other reason than that what was known to be wrong is out. */
function mayFollow(known: Steps, steps: Steps): boolean {
  const [cause, effect] = [ofIssuer(known), ofIssuer(steps)]
  const reaches = cause.tenant === effect.tenant || shared.test(cause.path)
  return reaches && offering.test(cause.path) && offered.test(effect.path)
}

/** A path within the settings of an issuer, and which tenant that is; undefined: none. */
function ofIssuer(steps: Steps): { readonly tenant: string | number | undefined; readonly path: string } {
  const [member, tenant] = steps
  return member === 'tenants' ? { tenant, path: pathOf(steps.slice(2)) } : { tenant: undefined, path: pathOf(steps) }
}

function isSameOrWithin(steps: Steps, outer: Steps): boolean {
  return outer.every((step, index) => steps[index] === step)
}
