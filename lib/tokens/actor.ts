/** Actors: the party that acts for the subject of a token (RFC 8693 §4.1), and the one that may (§4.4). */
import { isName } from '../assertions/compact-jws.ts'
import { isJsonObject } from '../json.ts'

export interface Party {
  /** The issuer whose name for the party `sub` is; absent: this server. */
  readonly iss?: string | undefined
  /** The subject. */
  readonly sub: string
}

/** A party that acts, and in `act` who acted before it: the most recent actor outside, the first one innermost. */
export interface Actor extends Party {
  /** The actor before this one (RFC 8693 §4.1). */
  readonly act?: Actor | undefined
}

/** The party a token names as allowed to act for its subject. Every member it has must match. */
export interface AllowedActor {
  /** The issuer of its token. */
  readonly iss?: string | undefined
  /** The subject of its token. */
  readonly sub?: string | undefined
  /** The client that acts. */
  readonly client_id?: string | undefined
}

/** A chain longer than this explains nothing any more. */
export const longestChain = 8

/**
 * The `act` claim of a JWT of the issuer `iss`, each party in it named together with its issuer and nothing else.
 * Undefined where there is none; `malformed` where a party has no name, or the chain is longer than {@link
 * longestChain}.
 */
export function readActor(act: unknown, iss: string): Actor | undefined | 'malformed' {
  return act === undefined ? undefined : readChain(act, iss, longestChain)
}

function readChain(act: unknown, iss: string, most: number): Actor | 'malformed' {
  if (most === 0 || !isJsonObject(act)) return 'malformed'
  const { iss: issuer = iss, sub, act: before } = act
  if (!isName(issuer) || !isName(sub)) return 'malformed'
  const named = { iss: issuer, sub }
  if (before === undefined) return named
  const chain = readChain(before, iss, most - 1)
  return chain === 'malformed' ? chain : { ...named, act: chain }
}

/**
 * The `may_act` claim of a JWT of the issuer `iss`. Undefined where there is none; `malformed` where it names nobody in
 * terms that are understood here: then nobody may act.
 */
export function readAllowedActor(may_act: unknown, iss: string): AllowedActor | undefined | 'malformed' {
  if (may_act === undefined) return undefined
  if (!isJsonObject(may_act)) return 'malformed'
  const members = Object.entries(may_act)
  const understood = members.every(([name, value]) => ['iss', 'sub', 'client_id'].includes(name) && isName(value))
  if (!understood || !('sub' in may_act || 'client_id' in may_act)) return 'malformed'
  return 'sub' in may_act ? { iss, ...(may_act as AllowedActor) } : may_act
}

/**
 * The new chain where `actor` acts for the subject of a token that has the chain `prior`; undefined where that would be
 * too long.
 */
export function actThrough(actor: Party, prior: Actor | undefined): Actor | undefined {
  // who acts already does not act through itself
  if (prior?.sub === actor.sub && prior.iss === actor.iss) return prior
  if (lengthOf(prior) >= longestChain) return undefined
  return { ...actor, act: prior }
}

/** Whether this party, asking through this client, is the one a token allows. `issuer` is this server's. */
export function mayAct(allowed: AllowedActor, actor: Party, client_id: string, issuer: string): boolean {
  if (allowed.client_id !== undefined && allowed.client_id !== client_id) return false
  return allowed.sub === undefined || (allowed.sub === actor.sub && (allowed.iss ?? issuer) === (actor.iss ?? issuer))
}

function lengthOf(chain: Actor | undefined): number {
  return chain === undefined ? 0 : 1 + lengthOf(chain.act)
}
