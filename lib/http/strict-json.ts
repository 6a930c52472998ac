/** Reads JSON strictly: what two readers of the same bytes could understand differently is not read at all. */
import { decodeUtf8 } from './form.ts'

type JsonReading =
  | { readonly outcome: 'read'; readonly text: string; readonly value: unknown }
  | { readonly outcome: 'malformed'; readonly cause: 'encoding' | 'syntax' }

/** Parses UTF-8. The parser's own message quotes what it read, which may hold secrets: it goes nowhere. */
export function readJson(bytes: Uint8Array): JsonReading {
  const text = decodeUtf8(bytes)
  if (text === undefined) return { outcome: 'malformed', cause: 'encoding' }
  try {
    return { outcome: 'read', text, value: JSON.parse(text) as unknown }
  } catch {
    return { outcome: 'malformed', cause: 'syntax' }
  }
}

/**
 * Whether an object in the text has the same name twice. `JSON.parse` keeps the last of two members with one name,
 * where another reader may keep the first. What it dropped had at least a name, so the text has more string literals
 * than the value has names and strings.
 *
 * @param value what the text was parsed to, not nested deeper than the stack can bear.
 */
export function hasDoubledNames(text: string, value: unknown): boolean {
  return countStrings(value) !== (text.replace(/\\./g, '').split('"').length - 1) / 2
}

function countStrings(value: unknown): number {
  if (typeof value === 'string') return 1
  if (typeof value !== 'object' || value === null) return 0
  const names = Array.isArray(value) ? 0 : Object.keys(value).length
  return Object.values(value).reduce((count: number, item) => count + countStrings(item), names)
}
