/** What happened, in numbers: one JSON line each in the file CLUSTER_REPORT names, where it names one. */
import { appendFileSync } from 'node:fs'

export function report(numbers: Readonly<Record<string, string | number>>): void {
  const file = process.env['CLUSTER_REPORT']
  if (file !== undefined && file !== '') appendFileSync(file, `${JSON.stringify(numbers)}\n`)
}
