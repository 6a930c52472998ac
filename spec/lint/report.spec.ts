/** How findings are written, and how everything wrong is found by a check that stops at the first. */
import { describe, expect, it } from '@jest/globals'
import { existsSync } from 'node:fs'
import { everyRefusal, formatFindings, hasErrors, lintOptions } from '../../lib/lint/lint.ts'

describe('a report', () => {
  const findings = lintOptions({ clients: [], assertionAudience: 'legacy', jsonBody: true })

  it('is JSON', () => {
    expect(JSON.parse(formatFindings(findings, 'json', 'a'))).toEqual({ findings })
    expect(Object.keys(findings[0] ?? {}).sort()).toEqual(['fix', 'id', 'level', 'message', 'section', 'where'])
  })

  it('is text that ends with a sum', () => {
    expect(formatFindings(findings, 'text', 'server.json')).toMatch(/\nserver\.json: 1 errors, 0 warnings, 1 notes\n$/)
    expect(formatFindings([], 'text', 'server.json')).toBe('server.json: nothing found\n')
  })

  it('is SARIF whose rules have pages', () => {
    const { version, runs } = JSON.parse(formatFindings(findings, 'sarif', 'a b/server.json')) as Sarif
    expect([version, runs.length]).toEqual(['2.1.0', 1])
    const [{ results, tool } = { results: [], tool: { driver: { rules: [] } } }] = runs
    expect(results.map(({ ruleId, level }) => [ruleId, level])).toEqual(findings.map(({ id, level }) => [id, level]))
    for (const { ruleId, ruleIndex } of results) expect(tool.driver.rules[ruleIndex]?.id).toBe(ruleId)
    for (const { helpUri } of tool.driver.rules) expect(existsSync(new URL(helpUri))).toBe(true)
    expect(results[0]?.locations[0]?.physicalLocation.artifactLocation.uri).toBe('a%20b/server.json')
  })

  it('lets no terminal be told what to do', () => {
    const [finding] = findings
    const hostile = formatFindings(finding ? [{ ...finding, where: '\u001b[2Jclients\n[0]' }] : [], 'text', 'x\u001b]0;y\u0007')
    expect(hostile).not.toMatch(/[^\P{Cc}\n]/u)
  })

  it('has errors only where there are some', () => {
    expect(hasErrors(findings)).toBe(true)
    expect(hasErrors(findings.filter(({ level }) => level !== 'error'))).toBe(false)
  })
})

interface Sarif {
  readonly version: string
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string; readonly helpUri: string }[] } }
    readonly results: readonly {
      readonly ruleId: string
      readonly ruleIndex: number
      readonly level: string
      readonly locations: readonly { readonly physicalLocation: { readonly artifactLocation: { readonly uri: string } } }[]
    }[]
  }[]
}

describe('everyRefusal()', () => {
  /** Refuses the first number that is not 1, and a list without numbers. */
  const ones = (value: unknown, path = ''): { path: string; mustBe: string } | undefined => {
    if (typeof value === 'number') return value === 1 ? undefined : { path, mustBe: 'must be 1' }
    if (Array.isArray(value) && value.length === 0) return { path, mustBe: 'must name at least one' }
    const members: [string, unknown][] = Array.isArray(value)
      ? value.map((one, index) => [`[${index}]`, one])
      : Object.entries(value as object).map(([name, one]) => [path === '' ? name : `.${name}`, one])
    for (const [step, one] of members) {
      const refusal = ones(one, path + step)
      if (refusal !== undefined) return refusal
    }
    return undefined
  }

  it.each<[unknown, string[]]>([
    [{ a: 1 }, []],
    [{ a: 2, b: 1, c: 3 }, ['a', 'c']],
    [{ list: [1, 2, 1, 3, { deep: [1, 5] }] }, ['list[1]', 'list[3]', 'list[4].deep[1]']],
    [{ list: [2] }, ['list[0]']],
    [{ list: [] }, ['list']]
  ])('of %j finds %j', async (value, paths) => {
    expect((await everyRefusal(value, one => Promise.resolve(ones(one)))).map(({ path }) => path)).toEqual(paths)
  })

  it('ends where nothing helps, and at its bound', async () => {
    expect(await everyRefusal({}, () => Promise.resolve({ path: 'a', mustBe: 'must be given' }))).toHaveLength(1)
    const many = { list: Array.from({ length: 500 }, () => 2) }
    expect(await everyRefusal(many, one => Promise.resolve(ones(one)), { most: 20 })).toHaveLength(20)
  })
})
