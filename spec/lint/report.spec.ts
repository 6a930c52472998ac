/** How findings are written. */
import { describe, expect, it } from '@jest/globals'
import { existsSync } from 'node:fs'
import { formatFindings, hasErrors, lintOptions } from '../../lib/lint/lint.ts'

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
