import { script } from '../redis-script.ts';

/** Cells are fields `index:era:name` of one hash a route; `last` is the newest bucket that has any. */
const EVIDENCE = `
local time = redis.call('TIME')
local open = math.floor((time[1] * 1000 + math.floor(time[2] / 1000)) / tonumber(ARGV[1]))
local held = redis.call('HMGET', KEYS[1], 'closed', 'result', 'last')
local closed, last = tonumber(held[1] or '-1'), tonumber(held[3] or '-1')
-- A clock that was set back opens no bucket again.
open = math.max(open, closed + 1, last)
local function evidence()
  return {string.format('%d', open), redis.call('HGETALL', KEYS[1])}
end
`;

/** KEYS: a route's evidence. ARGV: milliseconds of a bucket. */
export const READ_EVIDENCE = script(`${EVIDENCE}
return evidence()
`);

/** KEYS: a route's evidence. ARGV: milliseconds of a bucket; of its life; most cells; era; then names and deltas in turn. */
export const ADD_COUNTS = script(`${EVIDENCE}
local into = open
if last > closed and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then into = last end
for i = 5, #ARGV, 2 do
  redis.call('HINCRBY', KEYS[1], string.format('%d', into) .. ':' .. ARGV[4] .. ':' .. ARGV[i], ARGV[i + 1])
end
redis.call('HSET', KEYS[1], 'last', string.format('%d', into))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return evidence()
`);

/** KEYS: a route's evidence. ARGV: milliseconds of a bucket; of its life; index; result. */
export const CLOSE_BUCKET = script(`${EVIDENCE}
local index = tonumber(ARGV[3])
if index > closed and index < open then
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    local of = tonumber(string.match(field, '^(%d+):'))
    if of and of <= index then redis.call('HDEL', KEYS[1], field) end
  end
  redis.call('HSET', KEYS[1], 'closed', ARGV[3], 'result', ARGV[4])
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return evidence()
`);
