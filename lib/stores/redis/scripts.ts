/**
 * The operations of the Redis store: each a script, and so one atomic step of the node that has its keys.
 *
 * KEYS[1] is the record. KEYS[2] is there for a record of a grant and names the grant; both are in one slot. It holds
 * `live` for as long as the longest-lived record of the grant, or `ended` from when the grant was ended, for as long as
 * any such record could still be there and for an hour at least.
 *
 * A record is its version, a space and its value as JSON. A spent one is the word `spent`, until the record would have
 * expired. Every script writes or could: none is ever answered by a replica, which may not know yet what its master
 * knows.
 */
import { createHash } from 'node:crypto'

export interface Script {
  readonly source: string
  readonly sha: string
}

function script(source: string): Script {
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}

const ended = `KEYS[2] and redis.call('GET', KEYS[2]) == 'ended'`

/** Makes the grant's key live as long as the record that is about to be written. */
const prolongGrant = (milliseconds: string) => `
if KEYS[2] and redis.call('PTTL', KEYS[2]) < tonumber(${milliseconds}) then
  redis.call('SET', KEYS[2], 'live', 'PX', ${milliseconds})
end`

/** The record; nothing where there is none. */
export const getScript = script(`
if ${ended} then return false end
return redis.call('GET', KEYS[1])`)

/** ARGV: the record, its milliseconds. */
export const setScript = script(`
if ${ended} then return 0 end
${prolongGrant('ARGV[2]')}
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`)

/** ARGV: the record, its milliseconds. Answers 1 where it was added. */
export const addScript = script(`
if ${ended} then return 0 end
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
${prolongGrant('ARGV[2]')}
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`)

/** Answers with the record for the first caller, and with the word for a spent one from then on. */
export const takeScript = script(`
if ${ended} then return false end
local record = redis.call('GET', KEYS[1])
if record and record ~= 'spent' then redis.call('SET', KEYS[1], 'spent', 'KEEPTTL') end
return record`)

/** ARGV: the record, its milliseconds, the version there must be. Answers 1 where it was swapped. */
export const swapScript = script(`
if ${ended} then return 0 end
local record = redis.call('GET', KEYS[1])
local space = record and string.find(record, ' ', 1, true)
if not space or string.sub(record, 1, space - 1) ~= ARGV[3] then return 0 end
${prolongGrant('ARGV[2]')}
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`)

export const deleteScript = script(`return redis.call('DEL', KEYS[1])`)

/** KEYS[1] is the grant. ARGV: the milliseconds for which nothing may be written at least. */
export const endGrantScript = script(`
local longest = math.max(redis.call('PTTL', KEYS[1]), tonumber(ARGV[1]))
redis.call('SET', KEYS[1], 'ended', 'PX', longest)
return 1`)
