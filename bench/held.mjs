/**
 * What a target's process holds after the same number of answers: a server that answers three times as many in the same time has made three
 * times as many tokens, and is not to be compared by what it holds then.
 */
import { cases } from './cases.mjs'
import { commonOf, settingOf } from './compare.mjs'
import { startLoad, startTarget } from './workers.mjs'

const bench = cases[0]
/** Samples of the resident set, in even steps. */
const samples = 20
/** Nothing here is about time, but a target that no longer answers must not be waited for for ever. */
const seconds = 120

/**
 * @param {readonly { name: string, module: string }[]} entries
 * @param {number} answers how many each target gives
 * @returns {Promise<object[]>} bytes: `started` and `most` are resident sets, `held` is what is still needed at the end, `each` what an answer leaves
 */
export async function measureHeld(entries, answers, connections, serverKeys) {
  const measured = []
  for (const entry of entries) measured.push(await measure({ ...entry, serverKeys }, answers, connections))
  return measured
}

async function measure(entry, answers, connections) {
  const common = commonOf(bench)
  // grown undisturbed, as a server is; and once more, to be collected halfway and at the end
  const grown = await driven(entry, common, { answers, connections }, async ({ target, drive }) => {
    const { rss: started } = await target.usage()
    const sizes = []
    for (let sample = 0; sample < samples; sample++) {
      await drive(answers / samples)
      sizes.push((await target.usage()).rss)
    }
    return { started, most: Math.max(...sizes), last: sizes.at(-1) }
  })
  const kept = await driven(entry, common, { answers, connections }, async ({ target, drive }) => {
    await drive(answers / 2)
    const half = (await target.held()).bytes
    await drive(answers / 2)
    const held = (await target.held()).bytes
    return { held, each: (held - half) / (answers / 2) }
  })
  return { target: entry.name, answers, ...grown, ...kept }
}

async function driven(entry, common, { connections }, work) {
  const target = await startTarget(entry.module, settingOf(common, entry), ['--expose-gc'])
  const load = startLoad()
  const order = { caseName: bench.name, target: target.address, clientKey: common.clientKey, prepared: [], connections, seconds }
  const drive = async most => {
    const { answers, fault } = await load.order('drive', { ...order, most })
    if (fault !== undefined || answers !== most)
      throw new Error(`${entry.name}: ${fault ?? `${answers} answers in place of ${most}`}`)
  }
  try {
    return await work({ target, drive })
  } finally {
    await Promise.all([load.stop(), target.stop()])
  }
}
