/**
 * How often a property is tried whose tries cost much: in CI as often as what is rare takes to be found, elsewhere a fifth of it. What
 * is found in CI is found elsewhere by its seed and path, which fast-check tells.
 */
export function runs(full: number): number {
  return process.env['CI'] === undefined ? Math.ceil(full / 5) : full
}
