/** One attack, and what it means that it was refused. */
import type { Target, Wire } from './target.ts'

/** Answer of a server, read. */
export interface AttackAnswer {
  /** The status. */
  readonly status: number
  /** The headers. */
  readonly headers: Headers
  /** The body, at most 64 KiB of it. */
  readonly text: string
}

/** Severity of an attack that is let through: `error` where a rule is broken, `warning` where a recommendation is. */
export type AttackLevel = 'error' | 'warning'

/** Outcome of an attack by the answer to it: refused, accepted, or of no notice to a server that need not take any. */
export type AttackOutcome =
  | {
      /** Either of the two. */
      readonly outcome: 'refused' | 'accepted'
    }
  | {
      /** Neither. */
      readonly outcome: 'not_applicable'
      /** Says why. */
      readonly reason: string
    }

/** Names an attack, and its rule. */
export interface AttackName {
  /** Says what is wrong with it; no other attack has the same. */
  readonly name: string
  /** The endpoint it is sent to, by its metadata name without `_endpoint`. */
  readonly endpoint: string
  /** The section whose rule a server breaks that lets it pass. */
  readonly section: string
}

/** One attack: send it, and look whether it was refused. */
export interface Attack extends AttackName {
  /** How grave it is that it passes. */
  readonly level: AttackLevel
  /** Sends it. Rejects where the server does not answer. */
  send(): Promise<AttackAnswer>
  /**
   * Judges an answer. It is `not_applicable` where the server's metadata does not announce what the attack is about,
   * and the server took no notice of it, as it may; a fault of the server's, or what was wrong taking effect, is never
   * that.
   */
  judge(answer: AttackAnswer): AttackOutcome
  /**
   * Whether it was not accepted: no token, no redirect to anybody, an error of the caller's and none of the server's;
   * or what was wrong ignored where a server may.
   */
  refused(answer: AttackAnswer): boolean
}

/** An attack that cannot be sent to this server as this client. */
export interface HeldAttack extends AttackName {
  /** Says why. */
  readonly reason: string
}

/** The reason for which something does not apply to a target; undefined where it does. */
export type Reason = (target: Target) => string | undefined

/** An attack that is one request; or several, of which the last counts. */
export interface Attempt {
  readonly name: string
  readonly section: string
  /** `error` where it is left out. */
  readonly level?: AttackLevel
  readonly wires: (target: Target) => readonly Wire[]
  readonly refused?: (answer: AttackAnswer) => boolean
  /** The reason for which the server may take no notice of what is wrong. */
  readonly ignorable?: Reason
  /** Whether an answer shows that it took none; where it is left out, that nothing broke and nobody was sent astray. */
  readonly ignored?: (answer: AttackAnswer) => boolean
  /** The reason for which the attack cannot be made. */
  readonly held?: Reason
}

const mostBytes = 65_536

/** The origin of whoever attacks; no name in it is anybody's (RFC 2606 §2). */
export const attackersOrigin = 'https://attacker.invalid'

/** Makes an attack of an attempt, or says why there is none. */
export function attackOf(target: Target, endpoint: string, attempt: Attempt): Attack | HeldAttack {
  const { section, level = 'error', wires, refused = isRefused, ignored = isIgnored } = attempt
  const named = { name: `${endpoint}: ${attempt.name}`, endpoint, section }
  const held = attempt.held?.(target)
  if (held !== undefined) return { ...named, reason: held }
  const reason = attempt.ignorable?.(target)
  const judge = (answer: AttackAnswer): AttackOutcome => {
    if (refused(answer)) return { outcome: 'refused' }
    return reason !== undefined && ignored(answer) ? { outcome: 'not_applicable', reason } : { outcome: 'accepted' }
  }
  return {
    ...named,
    level,
    judge,
    refused: answer => judge(answer).outcome !== 'accepted',
    async send() {
      let answer: AttackAnswer | undefined
      for (const wire of wires(target)) answer = await read(await target.ask(wire))
      if (answer === undefined) throw new TypeError(`${named.name} sends nothing`)
      return answer
    }
  }
}

/** Reads an answer. */
export async function read(response: Response): Promise<AttackAnswer> {
  const { status, headers, body } = response
  let text = ''
  const decoder = new TextDecoder()
  const reader = body?.getReader()
  for (;;) {
    const { done, value } = ((await reader?.read()) ?? { done: true }) as { readonly done: boolean; readonly value?: Uint8Array }
    if (done || value === undefined) break
    text += decoder.decode(value, { stream: true })
    if (text.length < mostBytes) continue
    await reader?.cancel()
    break
  }
  return { status, headers, text }
}

/** The members of an answer that is a JSON object; none of another. */
export function membersOf({ text }: AttackAnswer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
  } catch {
    return {}
  }
}

/** An error of the caller's, and no token. */
export function isRefused({ status, text }: AttackAnswer): boolean {
  return status >= 400 && status < 500 && !/"access_token"\s*:/.test(text)
}

/**
 * Where what was sent may also be understood in a harmless way: anything but a fault of the server's or a token that
 * was not asked for so.
 */
export function isHarmless({ status, text }: AttackAnswer): boolean {
  return status < 500 && !/"access_token"\s*:/.test(text)
}

/** Where a server may refuse or answer, and only must not break. */
export function isSurvived({ status }: AttackAnswer): boolean {
  return status < 500
}

/** Answered as if what was wrong had not been there. */
export function isIgnored({ status, headers }: AttackAnswer): boolean {
  return status < 500 && !isTheAttackers(headers.get('location') ?? '')
}

/** Whether an address is one of whoever attacks. */
export function isTheAttackers(address: string): boolean {
  return address.startsWith(attackersOrigin)
}
