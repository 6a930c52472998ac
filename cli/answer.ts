/** Answers of commands: a table for people, JSON for programs. */
import type { Terminal } from './command.ts'

type Row = Readonly<Record<string, string>>

/** Prints rows under their names, or all there is as JSON. */
export function answer(terminal: Terminal, format: 'table' | 'json', value: unknown, rows: readonly Row[], empty: string): void {
  if (format === 'json') terminal.out(`${JSON.stringify(value, null, 2)}\n`)
  else terminal.out(rows.length === 0 ? `${empty}\n` : table(rows))
}

function table(rows: readonly Row[]): string {
  const names = Object.keys(rows[0] ?? {})
  const lines = [Object.fromEntries(names.map(name => [name, name.toUpperCase()])), ...rows]
  const widths = names.map(name => Math.max(...lines.map(line => printable(line[name]).length)))
  return lines
    .map(
      line =>
        `${names
          .map((name, at) => printable(line[name]).padEnd(widths[at] ?? 0))
          .join('  ')
          .trimEnd()}\n`
    )
    .join('')
}

/** Replaces control and format characters: names that clients give themselves must not move the cursor. */
export function printable(text = ''): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?')
}

/** Seconds since the epoch, for people. */
export function moment(seconds: number | undefined, otherwise = ''): string {
  return seconds === undefined ? otherwise : new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z')
}
