import { script } from '../redis-script.ts';

/**
 * Writes a replica's report and answers with those of all that live, as id, age in milliseconds and report in turn; older ones are dropped.
 * KEYS: replicas. ARGV: id; report as JSON, or empty to leave; most milliseconds between two reports; channel.
 */
export const REPORT = script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], string.format('%d', now) .. ' ' .. ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
redis.call('PUBLISH', ARGV[4], 'replica ' .. ARGV[1] .. ' ' .. ARGV[2])
local living = {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local at, report = string.match(all[i + 1], '^(%d+) (.*)$')
  local age = now - tonumber(at)
  if age > tonumber(ARGV[3]) then
    redis.call('HDEL', KEYS[1], all[i])
  else
    living[#living + 1] = all[i]
    living[#living + 1] = string.format('%d', math.max(age, 0))
    living[#living + 1] = report
  end
end
return living
`);
