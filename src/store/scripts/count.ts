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

/**
 * KEYS: a route's evidence; members seen in the open window, by family. ARGV: milliseconds of a bucket; of its life; most cells; era; most
 * members; for each family its window's buckets and prefix; number of deltas; names and deltas in turn; members and their names, which
 * blanks separate, in turn.
 */
export const ADD_COUNTS = script(`${EVIDENCE}
local into = open
if last > closed and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then into = last end
local cell = string.format('%d', into) .. ':' .. ARGV[4] .. ':'
local first = 2 * #KEYS + 5
local sightings = first + 2 * tonumber(ARGV[first - 1])
for i = first, sightings - 1, 2 do redis.call('HINCRBY', KEYS[1], cell .. ARGV[i], ARGV[i + 1]) end
for family = 2, #KEYS do
  if sightings > #ARGV then break end
  local buckets, prefix = tonumber(ARGV[2 * family + 2]), ARGV[2 * family + 3]
  local window = string.format('%d', math.floor(into / buckets))
  if redis.call('HGET', KEYS[1], 'window' .. family) ~= window then
    redis.call('DEL', KEYS[family])
    redis.call('HSET', KEYS[1], 'window' .. family, window)
  end
  local room = tonumber(ARGV[5]) - redis.call('SCARD', KEYS[family])
  local sums = {}
  for i = sightings, #ARGV, 2 do
    if room > 0 and redis.call('SADD', KEYS[family], ARGV[i]) == 1 then
      room = room - 1
      for name in string.gmatch(ARGV[i + 1], '%S+') do sums[name] = (sums[name] or 0) + 1 end
    end
  end
  for name, sum in pairs(sums) do redis.call('HINCRBY', KEYS[1], cell .. prefix .. name, sum) end
  redis.call('PEXPIRE', KEYS[family], tonumber(ARGV[1]) * buckets)
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
