/** Changes by operators: each an event with its actor, on the standard error and in the store. */
import { scopedStore, type Json, type ServerEvent, type Store } from 'clientele'
import type { Terminal } from './command.ts'

/** An event, and who it was. */
type OperatorEvent = ServerEvent & { readonly actor: string }

interface Issuer {
  readonly store: Store
  readonly issuer: string
}

const key = { kind: 'operator_changes', id: 'all' }
/** The oldest are forgotten: who needs them longer collects the standard error. */
const most = 1000
/** Seconds: ten years. */
const kept = 315_576_000
const mostRounds = 100

/** Writes an event the way the servers write theirs, and keeps it. */
export async function keepChange(
  { store, issuer, terminal }: Issuer & { readonly terminal: Terminal },
  event: OperatorEvent
): Promise<void> {
  const line = { level: 'info', time: new Date(event.at).toISOString(), ...event, msg: event.type }
  terminal.err(`${JSON.stringify(line)}\n`)
  const own = scopedStore(store, issuer)
  for (let round = 0; round < mostRounds; round += 1) {
    const found = await own.get(key)
    const before = Array.isArray(found?.value) ? (found.value as readonly Json[]) : []
    const after = [...before, JSON.parse(JSON.stringify(event)) as Json].slice(-most)
    if (await (found === undefined ? own.add(key, after, kept) : own.swap(key, found.version, after, kept))) return
  }
}

/** The newest first. */
export async function changesOf({ store, issuer }: Issuer): Promise<readonly OperatorEvent[]> {
  const found = await scopedStore(store, issuer).get(key)
  return Array.isArray(found?.value) ? (found.value as unknown as OperatorEvent[]).toReversed() : []
}
