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

/** One attack: send it, and look whether it was refused. */
export interface Attack {
  /** Says what is wrong with it; no other attack has the same. */
  readonly name: string
  /** The endpoint it is sent to, by its metadata name without `_endpoint`. */
  readonly endpoint: string
  /** The section whose rule a server breaks that lets it pass. */
  readonly section: string
  /** Sends it. Rejects where the server does not answer. */
  send(): Promise<AttackAnswer>
  /**
   * Whether it was refused as it should be: no token, no redirect to anybody, an error of the caller's and none of the
   * server's.
   */
  refused(answer: AttackAnswer): boolean
}

/** An attack that is one request; or several, of which the last counts. */
export interface Attempt {
  readonly name: string
  readonly section: string
  readonly wires: (target: Target) => readonly Wire[]
  readonly refused?: (answer: AttackAnswer) => boolean
}

const mostBytes = 65_536

/** Makes an attack of an attempt. */
export function attackOf(target: Target, endpoint: string, { name, section, wires, refused = isRefused }: Attempt): Attack {
  return {
    name: `${endpoint}: ${name}`,
    endpoint,
    section,
    refused,
    async send() {
      let answer: AttackAnswer | undefined
      for (const wire of wires(target)) answer = await read(await target.ask(wire))
      if (answer === undefined) throw new TypeError(`${name} sends nothing`)
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
