/** Reports of attacks, written for people and for programs. */
import type { AttackReport } from 'clientele/testing/attacks'

/** The ways a report can be written. */
export const reportFormats = ['text', 'json', 'html'] as const

/** Writes a report: `text` for a terminal, `json` whole, `html` as a page that asks nobody for anything. */
export function formatAttacks(report: AttackReport, format: (typeof reportFormats)[number], issuer: string): string {
  if (format === 'json') return `${JSON.stringify(report, null, 2)}\n`
  return format === 'text' ? textOf(report, issuer) : pageOf(report, issuer)
}

function sumOf({ sent, findings, notApplicable }: AttackReport): string {
  const errors = findings.filter(({ level }) => level === 'error').length
  const counts = `${counted(errors, 'error')}, ${counted(findings.length - errors, 'warning')}`
  const sum =
    findings.length === 0 ? `none of ${sent} was let through` : `${findings.length} of ${sent} were let through (${counts})`
  return notApplicable.length === 0 ? sum : `${sum}; ${notApplicable.length} do not apply`
}

const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`

/** What does not apply, by the reason; there is one for many. */
function reasonsOf({ notApplicable }: AttackReport): readonly (readonly [reason: string, names: readonly string[]])[] {
  const reasons = new Map<string, string[]>()
  for (const { reason, name } of notApplicable) reasons.set(reason, [...(reasons.get(reason) ?? []), name])
  return [...reasons]
}

function textOf(report: AttackReport, issuer: string): string {
  const found = report.findings.map(
    ({ name, section, level, status }) => `${String(status ?? 'none').padEnd(4)} ${level.padEnd(7)} ${name} (${section})\n`
  )
  const held = reasonsOf(report).map(([reason, names]) => `${String(names.length).padStart(4)} ${reason}\n`)
  const blocks = [found.join(''), held.length === 0 ? '' : `not applicable:\n${held.join('')}`, `${issuer}: ${sumOf(report)}\n`]
  return blocks.filter(block => block !== '').join('\n')
}

function pageOf(report: AttackReport, issuer: string): string {
  const found = report.findings.map(
    ({ name, section, level, status }) =>
      `<tr><td>${status ?? 'no answer'}</td><td>${level}</td><td>${escaped(name)}</td><td>${escaped(section)}</td></tr>\n`
  )
  const held = reasonsOf(report).map(
    ([reason, names]) =>
      `<details><summary>${names.length}: ${escaped(reason)}</summary><ul>${names.map(name => `<li>${escaped(name)}</li>`).join('')}</ul></details>\n`
  )
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Attacks on ${escaped(issuer)}</title></head>
<body><h1>Attacks on ${escaped(issuer)}</h1><p>${sumOf(report)}.</p>
<table><thead><tr><th>Answer</th><th>Level</th><th>Attack</th><th>Rule</th></tr></thead><tbody>
${found.join('')}</tbody></table>
${held.length === 0 ? '' : `<h2>Not applicable</h2>\n${held.join('')}`}</body></html>
`
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)
}
