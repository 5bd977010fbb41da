import { script } from '../redis-script.ts';

/**
 * The compare-and-set. All parts of JSON come ready made and are only put together, so that nothing is lost on the way through Lua's
 * numbers. The audit is written first: of all that follows only it can fail.
 * KEYS: state, audit. ARGV: epoch; revision below which the store has lost something; the store's time in microseconds after which the
 * writer has given up; the change's id; bound of the audit; channel; the act as JSON, open at both ends; then for each route its
 * name, name as JSON, expected revision, position as JSON, and state as JSON behind the revision.
 */
export const WRITE = script(`
local held = redis.call('HMGET', KEYS[1], 'epoch', 'revision')
local epoch, revision = held[1], held[2]
if not epoch then return {'gone'} end
if epoch ~= ARGV[1] then return {'foreignEpoch', epoch} end
if tonumber(revision) < tonumber(ARGV[2]) then return {'behind', revision} end
local before = {}
for i = 8, #ARGV, 5 do
  local known = redis.call('HGET', KEYS[1], 'route:' .. ARGV[i])
  local actual = known and string.match(known, '^{"revision":(%d+)') or '0'
  if actual ~= ARGV[i + 2] then
    -- Sent again because the first answer was lost?
    for _, item in ipairs(redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 64)) do
      if item[2][2] == ARGV[4] then return {'applied', item[2][4]} end
    end
    return {'stale', (i - 8) / 5, actual}
  end
  before[i] = known or 'null'
end
local time = redis.call('TIME')
if tonumber(time[1]) * 1000000 + tonumber(time[2]) > tonumber(ARGV[3]) then return {'late'} end
local stamp = string.format('%d', tonumber(revision) + 1)
local touched = {}
for i = 8, #ARGV, 5 do
  touched[#touched + 1] = '{"route":' .. ARGV[i + 1] .. ',"before":' .. before[i] .. ',"after":' .. ARGV[i + 3] .. '}'
end
local entry = '{"revision":' .. stamp .. ',' .. ARGV[7] .. ',"routes":[' .. table.concat(touched, ',') .. ']}'
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], stamp .. '-0', 'id', ARGV[4], 'entry', entry)
for i = 8, #ARGV, 5 do
  redis.call('HSET', KEYS[1], 'route:' .. ARGV[i], '{"revision":' .. stamp .. ',' .. ARGV[i + 4])
end
redis.call('HSET', KEYS[1], 'revision', stamp, 'head', ARGV[4])
redis.call('PUBLISH', ARGV[6], 'state')
return {'applied', entry}
`);
