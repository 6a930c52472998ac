/**
 * Adds up the runners' reports: "N passed, N failed". With --check, instead fails where a report is missing or empty, or a
 * test was skipped: a suite that quietly does not run looks exactly like one that passes.
 */
import { existsSync, readFileSync } from 'node:fs'

const files = process.argv.slice(2).filter(argument => argument !== '--check')
const reports = files.map(file => ({ file, ...(existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}) }))

function complaintsOf({
  file,
  numPassedTests = 0,
  numPendingTests = 0,
  numTodoTests = 0,
  numPendingTestSuites = 0,
  numRuntimeErrorTestSuites = 0
}) {
  const name = file.split('/').pop()
  return [
    numPassedTests === 0 && `${name}: no test passed, or no report`,
    numPendingTests > 0 && `${name}: ${numPendingTests} tests skipped`,
    numTodoTests > 0 && `${name}: ${numTodoTests} tests to be written`,
    numPendingTestSuites > 0 && `${name}: ${numPendingTestSuites} suites skipped`,
    numRuntimeErrorTestSuites > 0 && `${name}: ${numRuntimeErrorTestSuites} suites could not run`
  ].filter(complaint => complaint !== false)
}

if (process.argv.includes('--check')) {
  const complaints = reports.flatMap(complaintsOf)
  for (const complaint of complaints) console.log(complaint)
  process.exitCode = complaints.length === 0 ? 0 : 1
} else {
  const sum = member => reports.reduce((total, report) => total + (report[member] ?? 0), 0)
  console.log(`${sum('numPassedTests')} passed, ${sum('numFailedTests')} failed`)
}
