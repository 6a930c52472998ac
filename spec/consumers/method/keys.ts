/** What the page calls without showing: where the API keys are. */
import { timingSafeEqual } from 'node:crypto'
import type { Client } from 'clientele'

/** Whether this is the client's key. Every client has one, registered for the method or not. */
export function isKeyOf({ client_id }: Client, sent: unknown): Promise<boolean> {
  const wanted = Buffer.from(`key of ${client_id}`)
  const given = Buffer.from(String(sent))
  return Promise.resolve(given.length === wanted.length && timingSafeEqual(given, wanted))
}
