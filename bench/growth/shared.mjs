/** What the server and those who ask it agree on, and how rows and times are written. */
import { hash } from 'node:crypto'
import { median, whole } from '../report.mjs'

export const issuer = 'https://as.example.com'
export const client = { client_id: 'machine', client_secret: 'a-secret-for-the-bench', grant_types: ['client_credentials'] }

/** As the library names a used assertion: by a digest. */
export const jtiKey = index => ({ kind: 'client_assertion', id: hash('sha256', `client\n${index}`, 'base64url') })

/** Median and 99th percentile of milliseconds, as cells. */
export function timesOf(milliseconds) {
  const sorted = milliseconds.toSorted((a, b) => a - b)
  return [median(sorted), sorted[Math.floor(sorted.length * 0.99)]].map(time => time.toFixed(2))
}

export { whole } from '../report.mjs'
export const megabytes = bytes => `${whole(bytes / 2 ** 20)} MB`

/** Runs `work` for every index up to `count`, so many at a time. */
export async function atATime(concurrency, count, work) {
  let next = 0
  const worker = async () => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}

/** The same numbers each time: a linear congruential generator (Numerical Recipes). */
export function randomBelow(limit) {
  let state = 1
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}
