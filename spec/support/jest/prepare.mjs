/** Before the first spec, once for all of them: what each would otherwise make anew. */
import bundleSources from './bundled-sources.mjs'
import { findPrimes } from './rsa-stock.mjs'

let prepared

/** Two projects ask for it. */
export default function prepare() {
  return (prepared ??= Promise.all([bundleSources(), findPrimes()]))
}
