/** JSON objects, where anything may stand in their place. */

/**
 * A JSON object as it was read: any member may be of any type. Read it by names that `Object.prototype` does not have,
 * or by its own entries.
 */
export type JsonObject = Readonly<Record<string, unknown>>

/** Whether this is an object, and neither a list nor null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Lists what a member holds that may be one value or several: `aud` is a text or a list of them (RFC 7519 §4.1.3). */
export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value]
}

/** Parses a text that is one JSON object; undefined for any other. Never throws. */
export function parseJsonObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
