/** What the linter does not see of the walls: it takes imports of types for none. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from '@jest/globals'

const lib = join(import.meta.dirname, '../lib')

const imports = new Map(
  readdirSync(lib, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts'))
    .map(file => [file, importsOf(file)] as const)
)

function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(lib, file), 'utf8')
  const statements = text.matchAll(/^(?:import|export)\b[^'"]*? from '(\.[^']+)'/gm)
  return [...statements].map(([, path = '']) => normalize(join(dirname(file), path)))
}

/** The first way from a file back to itself that is found; undefined: there is none. */
function circleFrom(start: string): readonly string[] | undefined {
  const seen = new Set<string>()
  const walk = (file: string, way: readonly string[]): readonly string[] | undefined => {
    for (const next of imports.get(file) ?? []) {
      if (next === start) return [...way, next]
      if (seen.has(next)) continue
      seen.add(next)
      const found = walk(next, [...way, next])
      if (found !== undefined) return found
    }
    return undefined
  }
  return walk(start, [start])
}

describe('lib/', () => {
  it('has files that import one another', () => {
    expect([...imports.values()].flat().length).toBeGreaterThan(500)
    for (const path of [...imports.values()].flat()) expect(imports.has(path)).toBe(true)
  })

  it('has no circle of imports, of types neither', () => {
    expect([...imports.keys()].map(circleFrom).filter(circle => circle !== undefined)).toEqual([])
  })
})
