/** Patterns of subjects: exact, or everything below a whole segment. */

/** Finds the prefix that a pattern which ends in `*` asks a value to begin with; undefined: it is an exact value. */
export function patternPrefix(pattern: string): string | undefined {
  return pattern.endsWith('*') ? pattern.slice(0, -1) : undefined
}

/** Finds the fault in a pattern, as the end of a sentence; undefined: none. */
export function patternProblem(pattern: string): string | undefined {
  const star = pattern.indexOf('*')
  if (star === -1) return undefined
  // half a segment would let in whoever may choose a longer name: acme/app* is acme/app-evil too
  const isWhole = star === pattern.length - 1 && star > 0 && isSeparator(pattern[star - 1])
  return isWhole ? undefined : 'may have a * at its end alone, and there right after a / or a :'
}

/** Whether a value is what a pattern says, or has one segment or more below it. */
export function isUnderPattern(pattern: string, value: string): boolean {
  const prefix = patternPrefix(pattern)
  return prefix === undefined ? value === pattern : value.length > prefix.length && value.startsWith(prefix)
}

/** Every prefix a pattern could have that this value is under, the shortest first. */
export function prefixesOf(value: string): readonly string[] {
  const prefixes: string[] = []
  for (let end = 1; end < value.length; end++) if (isSeparator(value[end - 1])) prefixes.push(value.slice(0, end))
  return prefixes
}

function isSeparator(character: string | undefined): boolean {
  return character === '/' || character === ':'
}
