import { script } from '../redis-script.ts';

/**
 * What is new since a known state. KEYS: state, audit, replicas. ARGV: epoch, revision and head (the id of its last change) of the known
 * state, all empty when none is known; most entries to be told one by one; most milliseconds since the report of a replica that lives, or
 * empty. Whoever knows no state asks those: one that serves what is not held here, or a later revision of it, knows better. Answers
 * begin with what there is and the store's time in microseconds.
 */
export const READ = script(`
local time = redis.call('TIME')
local now = time[1] .. string.format('%06d', time[2])
local held = redis.call('HMGET', KEYS[1], 'epoch', 'revision', 'head', 'lineage')
local epoch, revision, head, lineage = held[1], held[2], held[3], held[4]
if not epoch then return {'gone', now} end
if epoch == ARGV[1] and revision == ARGV[2] and head == ARGV[3] then return {'same', now} end
local function follows(before) return string.find(lineage, '"' .. before .. '"', 1, true) end
if ARGV[1] == '' and ARGV[5] ~= '' then
  for _, item in ipairs(redis.call('HVALS', KEYS[3])) do
    local at, report = string.match(item, '^(%d+) (.*)$')
    local lives = tonumber(now) / 1000 - tonumber(at) <= tonumber(ARGV[5])
    local served = string.match(report, '"epoch":"([^"]*)"')
    if lives and served == epoch then
      if tonumber(string.match(report, '"revision":(%d+)')) > tonumber(revision) then return {'behind', now, revision} end
    elseif lives and served ~= '' and not follows(served) then
      return {'foreign', now, epoch, revision}
    end
  end
end
if ARGV[1] ~= '' and epoch ~= ARGV[1] then
  if not follows(ARGV[1]) or tonumber(revision) <= tonumber(ARGV[2]) then return {'foreign', now, epoch, revision} end
elseif ARGV[1] ~= '' then
  local known, due = tonumber(ARGV[2]), tonumber(revision)
  if due < known then return {'behind', now, revision} end
  if due - known <= tonumber(ARGV[4]) then
    local items = redis.call('XRANGE', KEYS[2], ARGV[2] .. '-0', revision .. '-0')
    if items[1] and items[1][1] == ARGV[2] .. '-0' then
      if ARGV[3] ~= '' and items[1][2][2] ~= ARGV[3] then return {'diverged', now, revision} end
      table.remove(items, 1)
    end
    if #items == due - known then
      local entries = {}
      for i, item in ipairs(items) do entries[i] = item[2][4] end
      return {'newer', now, head, entries}
    end
  end
end
return {'whole', now, epoch, revision, head, lineage, redis.call('HGETALL', KEYS[1])}
`);
