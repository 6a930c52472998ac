/** A store as a trial sees it: reads pass, and what is written is there for the trials alone. */
import { LRUCache } from 'lru-cache'
import type { Decision } from '../../decisions/decision.ts'
import type { Json, Key, Store, StoredRecord } from '../../stores/store.ts'

/** The checks that use something up, by the kind of record it is kept as. */
const usedBy: Readonly<Record<string, string>> = {
  client_assertion: 'replay',
  workload_jwt: 'replay',
  attestation_pop: 'replay',
  attestation_challenge: 'attestation_challenge',
  dpop_proof: 'dpop_proof'
}

/** Things used up in trials that are remembered, at most. */
const mostUses = 10_000

/** What trials of one candidate have used up: as though it were live, a second use is one. */
type TrialUses = LRUCache<string, true>

export function trialUses(): TrialUses {
  return new LRUCache({ max: mostUses })
}

/** Whether it had been used when the live configuration judged; undefined where that was not asked. */
function usedLive({ checks }: Decision, kind: string): boolean | undefined {
  const own = checks.filter(({ check }) => check === usedBy[kind])
  // an attestation beside an assertion is judged after it
  const outcome = own.at(kind.startsWith('attestation') ? -1 : 0)?.outcome
  return outcome === 'pass' || outcome === 'fail' ? outcome === 'fail' : undefined
}

/**
 * A view for the trial of one request, which has been judged already: what the live configuration used up with it is
 * fresh here.
 */
export function trialView(store: Store, live: Decision, uses: TrialUses): Store {
  const written = new Map<string, StoredRecord | undefined>()
  let version = 0
  const nameOf = ({ kind, id, grant = '' }: Key): string => [kind, grant, id].map(part => `${part.length}:${part}`).join('')
  const get = (key: Key): Promise<StoredRecord | undefined> => {
    const name = nameOf(key)
    return written.has(name) ? Promise.resolve(written.get(name)) : store.get(key)
  }
  const put = (key: Key, value: Json): void => {
    written.set(nameOf(key), { value, version: `trial ${++version}` })
  }
  const isThere = async (key: Key): Promise<boolean> => {
    const judged = usedLive(live, key.kind)
    // a store that is there for used ids alone need not have more than add()
    return judged ?? ((store as Partial<Store>).get !== undefined && (await get(key)) !== undefined)
  }
  return {
    get,
    set(key, value) {
      put(key, value)
      return Promise.resolve()
    },
    async add(key, value, ttl) {
      const name = nameOf(key)
      // remembered first: of two trials at once one is the first
      const again = uses.has(name)
      if (key.kind in usedBy) uses.set(name, true, { ttl: ttl * 1000 })
      if (again || (await isThere(key))) return false
      put(key, value)
      return true
    },
    async take(key) {
      const found = await get(key)
      if (found === undefined) return { outcome: 'absent' }
      written.set(nameOf(key), undefined)
      return { outcome: 'taken', value: found.value }
    },
    async swap(key, before, value) {
      if ((await get(key))?.version !== before) return false
      put(key, value)
      return true
    },
    delete(key) {
      written.set(nameOf(key), undefined)
      return Promise.resolve()
    },
    deleteGrant: () => Promise.resolve(),
    close: () => Promise.resolve()
  }
}
