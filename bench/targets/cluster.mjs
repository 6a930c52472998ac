/** The primary of a target that is several processes: it passes on what they are told and asked, and adds up what they answer. */
import cluster from 'node:cluster'
import { once } from 'node:events'

/** Starts the processes; each listens on the same port, and gets its share of the connections. */
export async function lead(setting) {
  const workers = Array.from({ length: setting.processes }, () => cluster.fork())
  await Promise.all(workers.map(worker => once(worker, 'message')))
  const addresses = []
  // one after the other, because stores make their tables when they are opened first
  for (const worker of workers) addresses.push(await ask(worker, setting))
  process.on('message', async message => {
    const asked = message.ask === 'prepare' ? workers.slice(0, 1) : workers
    const answers = await Promise.all(asked.map(worker => ask(worker, message)))
    process.send(message.ask === 'prepare' ? answers[0] : { answer: sumOf(answers) })
  })
  process.send(addresses[0])
}

async function ask(worker, message) {
  worker.send(message)
  const [answer] = await once(worker, 'message')
  return answer
}

function sumOf(answers) {
  const sum = member => answers.reduce((total, { answer }) => total + answer[member], 0)
  return { cpu: sum('cpu'), rss: sum('rss') }
}
