/** Values of a caller's, as they may stand in a log line. */

const longestDetail = 256
// control characters in a client's input must not be able to forge or break log lines
// eslint-disable-next-line no-control-regex -- matching control characters is the purpose
const controlCharacters = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g

/** Makes a caller's value safe to show to an operator: bounded in length, no control characters. */
export function printable(value: string): string {
  const bounded = value.length > longestDetail ? `${value.slice(0, longestDetail)}…` : value
  return bounded.replace(controlCharacters, '\ufffd')
}
