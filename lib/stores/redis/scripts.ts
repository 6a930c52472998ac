/**
 * The operations of the Redis store: each a script, and so one atomic step of the node that has its keys.
 *
 * KEYS[1] is the record, or that of a batch's first step. KEYS[2] is there for a record of a grant and names the grant;
 * both are in one slot. It holds `live` for as long as the longest-lived record of the grant, or `ended` from when the
 * grant was ended, for as long as any such record could still be there and for an hour at least.
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

/** The record; nothing where there is none. */
export const getScript = script(`
if ${ended} then return false end
return redis.call('GET', KEYS[1])`)

/** Answers with the record for the first caller, and with the word for a spent one from then on. */
export const takeScript = script(`
if ${ended} then return false end
local record = redis.call('GET', KEYS[1])
if record and record ~= 'spent' then redis.call('SET', KEYS[1], 'spent', 'KEEPTTL') end
return record`)

/** The values of each step of {@link writeScript}, in this order. */
export interface WriteValues {
  readonly operation: 'set' | 'add' | 'swap' | 'delete'
  /** Whether its record has a grant: two keys, or one. */
  readonly hasGrant: boolean
  /** The record, for all but `delete`. */
  readonly record: string
  readonly milliseconds: number
  /** The version there must be, for `swap`. */
  readonly version: string
}

export function argumentsOf({ operation, hasGrant, record, milliseconds, version }: WriteValues): readonly string[] {
  return [operation, hasGrant ? 'grant' : '', record, String(milliseconds), version]
}

/**
 * Any number of steps, each of which writes one record. KEYS: the keys of each step's record. ARGV: {@link argumentsOf}
 * each step. The first one decides: answers 1 where it wrote, or removes; the others are done then, and always where it
 * is no `add` and no `swap`.
 */
export const writeScript = script(`
local function write(operation, key, grant, record, milliseconds, version)
  if operation == 'delete' then
    redis.call('DEL', key)
    return true
  end
  if grant and redis.call('GET', grant) == 'ended' then return false end
  if operation == 'add' and redis.call('EXISTS', key) == 1 then return false end
  if operation == 'swap' then
    local before = redis.call('GET', key)
    local space = before and string.find(before, ' ', 1, true)
    if not space or string.sub(before, 1, space - 1) ~= version then return false end
  end
  if grant and redis.call('PTTL', grant) < tonumber(milliseconds) then
    redis.call('SET', grant, 'live', 'PX', milliseconds)
  end
  redis.call('SET', key, record, 'PX', milliseconds)
  return true
end
local done = 0
local at = 1
for step = 1, #ARGV, 5 do
  local operation, key, grant = ARGV[step], KEYS[at], nil
  at = at + 1
  if ARGV[step + 1] == 'grant' then
    grant = KEYS[at]
    at = at + 1
  end
  local wrote = write(operation, key, grant, ARGV[step + 2], ARGV[step + 3], ARGV[step + 4])
  if step == 1 then
    done = wrote and 1 or 0
    if not wrote and (operation == 'add' or operation == 'swap') then return done end
  end
end
return done`)

/** KEYS[1] is the grant. ARGV: the milliseconds for which nothing may be written at least. */
export const endGrantScript = script(`
local longest = math.max(redis.call('PTTL', KEYS[1]), tonumber(ARGV[1]))
redis.call('SET', KEYS[1], 'ended', 'PX', longest)
return 1`)
