/** What the floor's route costs without Express: `node:http` alone. */
import { tokenPath } from '../cases.mjs'
import { least } from './least.mjs'
import { serve } from './serve.mjs'

serve(async setting => {
  const { answer, jwks } = least(setting)
  const handler = (req, res) => {
    if (req.method === 'POST' && req.url === tokenPath) answer(req, res)
    else res.writeHead(404).end()
  }
  return { handler, jwks }
})
