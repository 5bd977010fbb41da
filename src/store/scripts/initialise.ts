import { script } from '../redis-script.ts';

/**
 * Makes the first state, unless there is one, or was one: the audit is there still, or replicas serve what is gone.
 * KEYS: state, audit, replicas. ARGV: new epoch.
 */
export const INITIALISE = script(`
if redis.call('EXISTS', KEYS[1]) == 1 then return 'there' end
if redis.call('EXISTS', KEYS[2]) == 1 then return 'lost' end
for _, report in ipairs(redis.call('HVALS', KEYS[3])) do
  if not string.find(report, '"epoch":""', 1, true) then return 'lost' end
end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'revision', '0', 'head', '', 'lineage', '')
return 'made'
`);
