/** Findings, written for people and for programs. */
import type { Finding } from './finding.ts'
import { lintRules } from './rules.ts'

/** The ways findings can be written. */
export const lintFormats = ['text', 'json', 'sarif'] as const
/** One of them. */
export type LintFormat = (typeof lintFormats)[number]

/** The pages that came with the package this file is in, compiled or not. */
const pages = new URL('docs/lint/', import.meta.url.replace(/(?:dist\/)?lib\/lint\/[^/]*$/, '')).href

/**
 * Writes findings: `text` for people, `json` as `{ "findings": […] }`, `sarif` as SARIF 2.1.0 for code scanning.
 *
 * @param subject what was looked at: the path of a file, or an address.
 */
export function formatFindings(findings: readonly Finding[], format: LintFormat, subject: string): string {
  if (format === 'json') return `${JSON.stringify({ findings }, null, 2)}\n`
  return format === 'sarif' ? `${JSON.stringify(sarifOf(findings, subject), null, 2)}\n` : textOf(findings, subject)
}

function textOf(findings: readonly Finding[], subject: string): string {
  const count = (level: Finding['level']): number => findings.filter(finding => finding.level === level).length
  const blocks = findings.map(
    ({ id, level, where, section, message, fix }) =>
      `${level.padEnd(7)} ${where}\n        ${message}\n        ${fix}\n        ${id} (${section})\n`
  )
  const sum = `${count('error')} errors, ${count('warning')} warnings, ${count('note')} notes`
  return [...blocks, `${line(subject)}: ${findings.length === 0 ? 'nothing found' : sum}\n`]
    .map(block => printed(block))
    .join('\n')
}

/** SARIF 2.1.0 §3.13. */
function sarifOf(findings: readonly Finding[], subject: string): object {
  const used = lintRules.filter(({ id }) => findings.some(finding => finding.id === id))
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'clientele',
            informationUri: `${pages}README.md`,
            rules: used.map(({ id, level, section, fix }) => ({
              id,
              shortDescription: { text: `${id.replaceAll('_', ' ')} (${section})` },
              help: { text: fix },
              helpUri: `${pages}${id}.md`,
              defaultConfiguration: { level }
            }))
          }
        },
        results: findings.map(({ id, level, where, message, fix }) => ({
          ruleId: id,
          ruleIndex: used.findIndex(rule => rule.id === id),
          level,
          message: { text: `${message}. ${fix}` },
          locations: [
            {
              physicalLocation: { artifactLocation: { uri: uriOf(subject) } },
              logicalLocations: [{ fullyQualifiedName: where }]
            }
          ]
        }))
      }
    ]
  }
}

function uriOf(subject: string): string {
  return /^https?:/.test(subject) ? subject : subject.split(/[\\/]/).map(encodeURIComponent).join('/')
}

function line(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
}

/** Replaces control characters: the subject may be hostile, and nothing of it reaches a terminal as a command. */
function printed(block: string): string {
  return block.replace(/[^\P{Cc}\n]/gu, '\ufffd')
}
