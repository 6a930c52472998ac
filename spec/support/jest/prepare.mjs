/** Before the first spec, once for all of them: what each would otherwise make anew. */
import bundleSources from './bundled-sources.mjs'
import makeRsaKeys from './rsa-keys.mjs'

let prepared

/** Two projects ask for it. */
export default function prepare() {
  return (prepared ??= Promise.all([bundleSources(), makeRsaKeys()]))
}
