/** Streams of requests as a client, a broken client or an attacker might send them. */
import * as phrases from './phrases.ts';
import { body, mutate } from './pieces.ts';
import type { Random } from './random.ts';

export interface RequestCase {
  readonly bytes: Buffer;
  /** Nothing odd was put in: both parties must accept it. */
  readonly isPlain: boolean;
}

export function requestCase(random: Random): RequestCase {
  // A third is plain; the rest has a few odd parts, many or only odd bytes.
  const oddness = random.pick([0, 0, 0.05, 0.15, 0, 0.05]);
  const mutations = random.chance(0.4) ? 1 + random.below(4) : 0;
  const count = 1 + random.below(3);
  let text = '';
  for (let i = 0; i < count; i++) text += request(random, oddness);
  const bytes = Buffer.from(text, 'latin1');
  return { bytes: mutate(random, bytes, mutations), isPlain: oddness === 0 && mutations === 0 };
}

function request(random: Random, oddness: number): string {
  const odd = (): boolean => oddness > 0 && random.chance(oddness);
  const method = random.pick(odd() ? phrases.ODD_METHODS : phrases.METHODS);
  const target = random.pick(odd() ? phrases.ODD_TARGETS : phrases.TARGETS);
  const isOld = random.chance(0.05);
  const version = odd() ? random.pick(phrases.ODD_VERSIONS) : phrases.VERSIONS[isOld ? 1 : 0];
  const lines = [`Host: ${random.pick(odd() ? phrases.ODD_HOSTS : phrases.HOSTS)}`];
  if (odd()) lines.pop();
  for (let n = random.below(4); n > 0; n--) lines.push(random.pick(odd() ? phrases.ODD_FIELDS : phrases.FIELDS));
  const framed = body(random, odd, !isOld);
  lines.push(...framed.lines);
  if (random.chance(0.3)) lines.reverse();
  const end = odd() ? random.pick(['\n', '\r\n', '\r', '']) : '\r\n';
  const blank = odd() ? random.pick(['\r\n', '\n', '\r', '\r\n\r\n', ' \r\n']) : '';
  return `${blank}${method} ${target} ${version}${end}${lines.map((line) => `${line}\r\n`).join('')}\r\n${framed.text}`;
}
