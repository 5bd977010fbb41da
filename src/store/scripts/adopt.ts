import { script } from '../redis-script.ts';

/**
 * Puts a state over whatever is there, under a new epoch and a revision above all that were ever seen. Routes that it does not have
 * stay as they are. KEYS: state, audit, replicas. ARGV: new epoch; the revision it has; its epoch and those before it as JSON, open at
 * both ends; the change's id; bound of the audit; channel; the act as JSON, open at both ends; then for each route its name, name as JSON,
 * position as JSON, and state as JSON behind the revision.
 */
export const ADOPT = script(`
local held = redis.call('HMGET', KEYS[1], 'epoch', 'revision', 'lineage')
local highest = tonumber(ARGV[2])
local function see(revision) highest = math.max(highest, tonumber(revision or 0)) end
see(held[2])
for _, item in ipairs(redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)) do see(string.match(item[1], '^%d+')) end
for _, report in ipairs(redis.call('HVALS', KEYS[3])) do see(string.match(report, '"revision":(%d+)')) end
local stamp = string.format('%d', highest + 1)
local lineage = ARGV[3]
local function follow(epoch)
  if string.find(lineage, '"' .. epoch .. '"', 1, true) then return end
  lineage = lineage .. (lineage == '' and '' or ',') .. '"' .. epoch .. '"'
end
for epoch in string.gmatch(held[3] or '', '"([^"]+)"') do follow(epoch) end
if held[1] then follow(held[1]) end
local touched = {}
for i = 8, #ARGV, 4 do
  local before = redis.call('HGET', KEYS[1], 'route:' .. ARGV[i]) or 'null'
  touched[#touched + 1] = '{"route":' .. ARGV[i + 1] .. ',"before":' .. before .. ',"after":' .. ARGV[i + 2] .. '}'
end
local entry = '{"revision":' .. stamp .. ',' .. ARGV[7] .. ',"routes":[' .. table.concat(touched, ',') .. ']}'
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], stamp .. '-0', 'id', ARGV[4], 'entry', entry)
for i = 8, #ARGV, 4 do
  redis.call('HSET', KEYS[1], 'route:' .. ARGV[i], '{"revision":' .. stamp .. ',' .. ARGV[i + 3])
end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'revision', stamp, 'head', ARGV[4], 'lineage', lineage)
redis.call('PUBLISH', ARGV[6], 'state')
return entry
`);
