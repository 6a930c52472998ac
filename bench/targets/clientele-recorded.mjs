/** clientele in the same application, which keeps its authentications for its operators. */
import express from 'express'
import { keptAuthentications } from '../../dist/lib/replay/replay.js'
import { mount } from './mount.mjs'
import { serve } from './serve.mjs'

serve(async setting => {
  const app = express()
  const prepare = await mount(app, setting, ({ store, issuer }) => ({ onJudged: keptAuthentications({ store, issuer }).keep }))
  return { handler: app, prepare }
})
