/** Sequences of HTTP/2 frames: mostly valid, here and there not, and then with a few bytes changed. */
import { block, frame, PREFACE, settings, uint32 } from '../http2/frames.ts';
import type { Random } from './random.ts';

const NAMES = [
  ':method',
  ':path',
  ':scheme',
  ':authority',
  ':status',
  'te',
  'cookie',
  'content-length',
  'host',
  'x',
  'X',
];
const VALUES = ['GET', '/', 'http', 'a', '200', 'trailers', '', '3', 'y\n', 'b', 'POST'];
const REQUEST = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'a'],
] as const;
const RESPONSE = [[':status', '200']] as const;
const MOST_FRAMES = 12;

/** Encoded fields by name and value: most of a campaign's time would go into making them anew. */
const FIELDS: readonly (readonly Buffer[])[] = NAMES.map((name) => VALUES.map((value) => block([name, value])));
const HEADS = { server: block(...REQUEST), client: block(...RESPONSE) };

/** What a peer of the codec in this role sends. */
export function generateFrames(random: Random, role: 'server' | 'client'): Buffer {
  const pieces: Buffer[] = role === 'server' ? [PREFACE] : [];
  if (!random.chance(0.02)) pieces.push(settings([4, random.pick([0, 10, 65_535])]));
  const count = 1 + random.below(MOST_FRAMES);
  for (let i = 0; i < count; i++) pieces.push(generateFrame(random, role));
  const bytes = Buffer.concat(pieces);
  if (random.chance(0.5)) mutate(bytes, random, role === 'server' ? PREFACE.length : 0);
  return random.chance(0.1) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes;
}

function mutate(bytes: Buffer, random: Random, from: number): void {
  for (let i = random.below(4); i >= 0; i--) {
    const at = from + random.below(bytes.length - from);
    bytes[at] = random.chance(0.5) ? random.below(256) : (bytes[at] as number) ^ (1 << random.below(8));
  }
}

function generateFrame(random: Random, role: 'server' | 'client'): Buffer {
  const stream = random.chance(0.03) ? random.below(20) : random.below(6) * 2 + 1;
  const flags = random.chance(0.1) ? random.below(256) : 0;
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2:
      return frame(
        'HEADERS',
        flags | (random.chance(0.9) ? 4 : 0) | random.below(2),
        stream,
        headerBlock(random, role),
      );
    case 3:
    case 4:
    case 5:
      return frame(
        'DATA',
        flags | random.below(2),
        stream,
        Buffer.alloc(random.chance(0.1) ? 3_000 : random.below(6), 1),
      );
    case 6:
      return frame('CONTINUATION', flags | (4 * random.below(2)), stream, headerBlock(random, role));
    case 7:
      return settings([random.below(7), random.pick([0, 1, 100, 16_384, 65_535, 0x7fffffff, 0x80000000])]);
    case 8:
      return frame(
        'WINDOW_UPDATE',
        flags,
        random.chance(0.3) ? 0 : stream,
        uint32(random.pick([0, 1, 5, 70_000, 0x7fffffff])),
      );
    case 9:
      return frame('RST_STREAM', flags, stream, uint32(random.below(14)));
    case 10:
      return random.chance(0.3)
        ? frame('GOAWAY', flags, 0, uint32(random.below(12), random.below(14)))
        : frame('PING', random.below(2), 0, Buffer.alloc(8, 7));
    default:
      return frame(
        random.below(14),
        flags,
        random.chance(0.5) ? 0 : stream,
        Buffer.alloc(random.below(12), random.below(256)),
      );
  }
}

function headerBlock(random: Random, role: 'server' | 'client'): Buffer {
  const fields: Buffer[] = random.chance(0.85) ? [HEADS[role]] : [];
  for (let i = random.below(3); i > 0; i--) fields.push(random.pick(random.pick(FIELDS)));
  const plain = Buffer.concat(fields);
  if (random.chance(0.7)) return plain;
  // Indexes, insertions, size updates and Huffman code, right or wrong.
  const more = Buffer.from(Array.from({ length: random.below(12) }, () => random.below(256)));
  return random.chance(0.5) ? Buffer.concat([more, plain]) : Buffer.concat([plain, more]);
}
