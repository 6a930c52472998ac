/** clientele as a soak has it: on `createServer(app)`, with a client for each way to authenticate and lifetimes a soak sees the end of. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setInterval } from 'node:timers'
import { createServer } from 'clientele'
import express from 'express'
import { mount, open } from './mount.mjs'
import { serve } from './serve.mjs'

/** Milliseconds between two looks at the clock; a pause is what comes on top. */
const resolution = 10
const delay = monitorEventLoopDelay({ resolution })
/** The largest resident set of those seen once a second. */
let most = 0

/** What became of the process since it was asked last. */
function window() {
  const { user, system } = process.cpuUsage()
  const rss = process.memoryUsage.rss()
  const seen = { cpu: user + system, rss, most: Math.max(most, rss), pause: Math.max(0, delay.max / 1e6 - resolution) }
  most = 0
  delay.reset()
  return seen
}

const app = express()

serve(
  async setting => {
    const { clients, lifetimes } = setting
    const store = await open(setting.store)
    await mount(app, { ...setting, store }, () => ({ clients, ...lifetimes }))
    delay.enable()
    setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 1000)
    // no store says how many records it holds: of this one what the tables inside have, of the others who asks looks into the database
    const records = () => ({ count: store.table.size + store.seen.size })
    return { asks: { window, records } }
  },
  options => createServer(app, options)
)
