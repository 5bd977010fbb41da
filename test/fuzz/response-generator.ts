/** What a backend, a broken backend or one that an attacker got hold of might answer. */
import * as phrases from './phrases.ts';
import { body, mutate } from './pieces.ts';
import type { Random } from './random.ts';

export interface ResponseCase {
  readonly bytes: Buffer;
  /** Nothing odd was put in: both parties must accept it. */
  readonly isPlain: boolean;
  readonly method: 'GET' | 'HEAD';
  /** The backend ends the connection behind the bytes. */
  readonly ends: boolean;
}

const STATUSES = [
  '200 OK',
  '200',
  '200 ',
  '404 Not Found',
  '500 Oops \xe9',
  '301 Moved',
  '206 Partial Content',
] as const;
const BODILESS = ['204 No Content', '304 Not Modified'] as const;
const ODD_STATUSES = [
  '100 Continue',
  '101 Switching',
  '199 x',
  '099 x',
  '600 x',
  '999',
  '20',
  '2000 x',
  '2x0 x',
  '-20 x',
  ' 200 OK',
  '200\tOK',
  '200 O\rK',
  '200 O\x00K',
  '200 O\nK',
  '200 O\x01K',
  '',
] as const;
const INTERIM = ['100 Continue', '102 Processing', '103 Early Hints', '100'] as const;
const FIELDS = [
  'Server: x',
  'Set-Cookie: a=b',
  'Set-Cookie: c=d',
  'Connection: close',
  'Connection: keep-alive',
  'ETag: "x"',
  'X-Empty:',
  'X-Text: \xe9',
] as const;

export function responseCase(random: Random): ResponseCase {
  const oddness = random.pick([0, 0, 0.05, 0.15, 0, 0.05]);
  const mutations = random.chance(0.4) ? 1 + random.below(4) : 0;
  const method = random.chance(0.15) ? 'HEAD' : 'GET';
  const odd = (): boolean => oddness > 0 && random.chance(oddness);
  let text = '';
  for (let n = random.chance(0.15) ? 1 + random.below(2) : 0; n > 0; n--) {
    text += `HTTP/1.1 ${random.pick(INTERIM)}\r\n${random.chance(0.5) ? 'Link: </a>\r\n' : ''}\r\n`;
  }
  text += finalResponse(random, odd, method);
  if (odd()) text += random.pick(['\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 'x']);
  const bytes = mutate(random, Buffer.from(text, 'latin1'), mutations);
  return { bytes, isPlain: oddness === 0 && mutations === 0, method, ends: random.chance(0.5) };
}

function finalResponse(random: Random, odd: () => boolean, method: 'GET' | 'HEAD'): string {
  const isBodiless = random.chance(0.15);
  const status = odd() ? random.pick(ODD_STATUSES) : random.pick(isBodiless ? BODILESS : STATUSES);
  const isOld = random.chance(0.1);
  const version = odd() ? random.pick(phrases.ODD_VERSIONS) : phrases.VERSIONS[isOld ? 1 : 0];
  const lines: string[] = [];
  for (let n = random.below(4); n > 0; n--) lines.push(random.pick(odd() ? phrases.ODD_FIELDS : FIELDS));
  const framed = body(random, odd, !isOld && !isBodiless);
  if (!isBodiless || odd()) lines.push(...framed.lines);
  if (random.chance(0.3)) lines.reverse();
  const end = odd() ? random.pick(['\n', '\r\n', '\r', '']) : '\r\n';
  const hasBody = (method === 'GET' && !isBodiless) || odd();
  return `${version} ${status}${end}${lines.map((line) => `${line}\r\n`).join('')}\r\n${hasBody ? framed.text : ''}`;
}
