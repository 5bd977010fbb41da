/** Parts that requests and responses share: bodies with the lines that frame them, and damage. */
import * as phrases from './phrases.ts';
import type { Random } from './random.ts';

export interface FramedBody {
  readonly lines: readonly string[];
  readonly text: string;
}

const CONTENTS = [
  '',
  'a',
  'hello',
  'a=b&c=d',
  '\r\n',
  '0\r\n\r\n',
  '\x00\xff\r',
  'GET /in HTTP/1.1\r\nHost: h\r\n\r\n',
  'x'.repeat(40),
] as const;

/** Now and then both framings at once, or a framing other than the body's own. */
export function body(random: Random, odd: () => boolean, mayChunk: boolean): FramedBody {
  const kind = random.below(3);
  const lines: string[] = [];
  const content = random.pick(CONTENTS);
  let text = '';
  if (kind === 1 || (kind === 2 && !mayChunk)) {
    text = content;
    lines.push(lengthLine(random, odd, content.length));
  } else if (kind === 2) {
    text = chunks(random, odd, content);
    lines.push(codingLine(random, odd));
  }
  if (odd()) lines.push(lengthLine(random, odd, random.pick([0, 1, text.length, content.length])));
  if (odd()) lines.push(codingLine(random, odd));
  return { lines, text };
}

function lengthLine(random: Random, odd: () => boolean, length: number): string {
  const value = random.pick(odd() ? phrases.ODD_LENGTHS : phrases.LENGTHS);
  return `Content-Length: ${value.replaceAll('#', String(length))}`;
}

function codingLine(random: Random, odd: () => boolean): string {
  const name = odd() ? random.pick(phrases.ODD_CODING_NAMES) : 'Transfer-Encoding';
  return `${name}: ${random.pick(odd() ? phrases.ODD_CODINGS : phrases.CODINGS)}`;
}

function chunks(random: Random, odd: () => boolean, content: string): string {
  let text = '';
  let at = 0;
  while (at < content.length) {
    const size = 1 + random.below(content.length - at);
    text += `${sizeLine(random, odd, size)}${content.slice(at, at + size)}${odd() ? random.pick(['', '\n', '\r', 'x\r\n', '\r\n\r\n']) : '\r\n'}`;
    at += size;
  }
  const trailers = random.chance(0.3) ? `${random.pick(odd() ? phrases.ODD_TRAILERS : phrases.TRAILERS)}\r\n` : '';
  const end = odd() ? random.pick(['', '\n', '\r', '\r\r\n', ' \r\n']) : '\r\n';
  return `${text}${sizeLine(random, odd, 0)}${trailers}${end}`;
}

function sizeLine(random: Random, odd: () => boolean, size: number): string {
  const digits = random.chance(0.5) ? size.toString(16) : size.toString(16).toUpperCase();
  if (odd()) return `${random.pick(phrases.ODD_SIZES).replaceAll('#', digits)}\r\n`;
  return `${digits}${random.chance(0.1) ? random.pick(phrases.EXTENSIONS) : ''}\r\n`;
}

/** Damage at random places: bytes set, put in, taken out, doubled, or the end cut off. */
export function mutate(random: Random, bytes: Buffer, times: number): Buffer {
  let out = bytes;
  for (let n = 0; n < times && out.length > 0; n++) {
    const at = random.below(out.length);
    switch (random.below(6)) {
      case 0:
        out = splice(out, at, 1, Buffer.of(random.pick(phrases.SHARP_BYTES)));
        break;
      case 1:
        out = splice(out, at, 0, Buffer.of(random.pick(phrases.SHARP_BYTES)));
        break;
      case 2:
        out = splice(out, at, 1 + random.below(4), Buffer.alloc(0));
        break;
      case 3:
        out = splice(out, at, 0, Buffer.from(random.pick(phrases.SHARP_RUNS), 'latin1'));
        break;
      case 4:
        out = splice(out, at, 0, out.subarray(at, at + 1 + random.below(30)));
        break;
      default:
        out = random.chance(0.3) ? out.subarray(0, at) : splice(out, at, 1, Buffer.of(random.below(256)));
    }
  }
  return out;
}

function splice(bytes: Buffer, at: number, removed: number, added: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)]);
}
