/** A Lua script by its digest, as EVALSHA names it. */
import { createHash } from 'node:crypto';
import type { RedisClient } from './redis-client.ts';

export interface RedisScript {
  readonly lua: string;
  readonly sha: string;
}

export function script(lua: string): RedisScript {
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}

/** Sends the script itself only to a server that does not know it: a new one, or one that was restarted or flushed. */
export async function runScript(
  client: RedisClient,
  { lua, sha }: RedisScript,
  keys: readonly string[],
  args: readonly string[],
): Promise<unknown> {
  try {
    return await client.evalsha(sha, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
    return await client.eval(lua, keys.length, ...keys, ...args);
  }
}
