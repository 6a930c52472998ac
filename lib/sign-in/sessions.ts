/** Sessions: the person signed in with a browser, and what they agreed to there. */
import type { Request, Response } from 'express'
import type { Account } from '../authorization-requests/account.ts'
import { sha256 } from '../crypto/sha256.ts'
import { requestNote } from '../request-note.ts'
import { read, update, write } from '../stores/records.ts'
import type { Key, Store } from '../stores/store.ts'
import { cookie } from './cookies.ts'

/** One sign-in of one person in one browser. */
export interface Session {
  readonly account: Account
  /** The person's name. */
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly expires_at: number
  /** The scope values agreed to: by client, and by resource within (the empty string stands for none). */
  readonly agreed: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
}

/** The access that is asked for, or agreed to. */
interface Agreement {
  readonly client_id: string
  readonly scope: readonly string[]
  readonly resources: readonly string[]
}

export interface Sessions {
  /**
   * Finds the name of a request's browser, whoever is signed in: made where it is not there yet. No secret that opens
   * anything.
   */
  browserOf(req: Request, res: Response): string
  /** The same, for a request that has to have it. */
  knownBrowser(req: Request): string | undefined
  find(req: Request): Promise<Session | undefined>
  /** Names a session to clients. */
  newSid(): string
  /** A new session, under a new id. */
  begin(req: Request, res: Response, account: Account, name: string): Promise<void>
  agree(req: Request, agreement: Agreement): Promise<void>
  end(req: Request, res: Response): Promise<void>
}

interface SessionsContext {
  readonly issuer: string
  readonly store: Store
  readonly random: (size: number) => Uint8Array
  readonly clock: () => number
  /** Seconds. */
  readonly ttl: number
}

/** Clients whose consent one session remembers; of more, the first are asked about again. */
const mostClients = 100

export function sessions({ issuer, store, random, clock, ttl }: SessionsContext): Sessions {
  const secure = issuer.startsWith('https:')
  // several servers of one host do not take one another's away
  const mark = digestOf(issuer).slice(0, 8)
  const [browserCookie, sessionCookie] = [cookie(`browser-${mark}`, secure), cookie(`session-${mark}`, secure)]
  const browsers = requestNote<Request, string>('browser')
  const begun = requestNote<Request, string>('session')
  const newId = (): string => Buffer.from(random(24)).toString('base64url')
  const knownBrowser = (req: Request): string | undefined => browsers.read(req) ?? browserCookie.read(req)
  const idOf = (req: Request): string | undefined => begun.read(req) ?? sessionCookie.read(req)
  const keyOf = (id: string): Key => ({ kind: 'sign_in_session', id: digestOf(`${issuer}\n${id}`) })
  const find = async (req: Request): Promise<Session | undefined> => {
    const id = idOf(req)
    return id === undefined ? undefined : read<Session>(store, keyOf(id))
  }
  return {
    browserOf(req, res) {
      const known = knownBrowser(req)
      if (known !== undefined) return known
      const made = browsers.write(req, newId())
      browserCookie.write(res, made)
      return made
    },
    knownBrowser,
    find,
    newSid: newId,
    async begin(req, res, account, name) {
      const before = idOf(req)
      const id = begun.write(req, newId())
      const session: Session = { account, name, agreed: {}, expires_at: clock() + 1000 * ttl }
      await write(store, keyOf(id), session, ttl)
      if (before !== undefined) await store.delete(keyOf(before))
      sessionCookie.write(res, id, ttl)
    },
    async agree(req, agreement) {
      const id = idOf(req)
      if (id === undefined) return
      const left = ({ expires_at }: Session): number => Math.max(1, Math.ceil((expires_at - clock()) / 1000))
      await update<Session>(store, keyOf(id), found => found && withAgreement(found, agreement), left)
    },
    async end(req, res) {
      const id = idOf(req)
      sessionCookie.clear(res)
      if (id !== undefined) await store.delete(keyOf(id))
    }
  }
}

/** Whether a session covers what is asked. */
export function covers({ agreed }: Session, { client_id, scope, resources }: Agreement): boolean {
  const known = agreed[digestOf(client_id)]
  return known !== undefined && named(resources).every(resource => scope.every(value => known[resource]?.includes(value)))
}

function withAgreement(session: Session, { client_id, scope, resources }: Agreement): Session {
  const client = digestOf(client_id)
  const { [client]: before = {}, ...others } = session.agreed
  const added = named(resources).map(resource => [resource, [...new Set([...(before[resource] ?? []), ...scope])]] as const)
  const kept = Object.entries(others).slice(1 - mostClients)
  return { ...session, agreed: { ...Object.fromEntries(kept), [client]: { ...before, ...Object.fromEntries(added) } } }
}

function named(resources: readonly string[]): readonly string[] {
  return resources.length === 0 ? [''] : resources
}

export function digestOf(text: string): string {
  return sha256(text).toString('base64url')
}
