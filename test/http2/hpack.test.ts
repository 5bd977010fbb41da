/** HPACK: the examples of RFC 7541, properties, and another implementation where it is installed. */
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FieldBlock } from '../../src/http2/field-block.ts';
import { FieldSection } from '../../src/http2/field-section.ts';
import { HpackDecoder } from '../../src/http2/hpack-decoder.ts';
import { HpackEncoder } from '../../src/http2/hpack-encoder.ts';
import { huffmanDecode, huffmanEncode, huffmanLength } from '../../src/http2/huffman.ts';

const LIMITS = { headBytes: 1 << 20, fields: 1_000 };

/** Fields of a block, pseudo-fields first; null: not to be decoded. */
function decode(decoder: HpackDecoder, block: Buffer): string[] | null {
  const section = new FieldSection(LIMITS);
  section.begin(false);
  if (!decoder.decode(block, 0, block.length, section)) return null;
  section.finish();
  const { method, scheme, authority, path, status } = section;
  const pseudo = { ':method': method, ':scheme': scheme, ':authority': authority, ':path': path, ':status': status };
  return [
    ...Object.entries(pseudo).flatMap(([name, value]) => (value === undefined ? [] : [name, value])),
    ...section.flat,
  ];
}

function encode(encoder: HpackEncoder, flat: readonly string[], neverIndexed: readonly string[] | null = null): Buffer {
  const block = new FieldBlock(flat, neverIndexed);
  const bytes = Buffer.alloc(encoder.bound(block));
  return bytes.subarray(0, encoder.encode(block, bytes, 0));
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('examples of RFC 7541', () => {
  const FIRST = [':method', 'GET', ':scheme', 'http', ':authority', 'www.example.com', ':path', '/'];
  const SECOND = [...FIRST, 'cache-control', 'no-cache'];
  const THIRD = [
    ':method',
    'GET',
    ':scheme',
    'https',
    ':authority',
    'www.example.com',
    ':path',
    '/index.html',
    'custom-key',
    'custom-value',
  ];

  test.each([
    [
      'C.3, requests',
      [
        '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '8286 84be 5808 6e6f 2d63 6163 6865',
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      ],
    ],
    [
      'C.4, requests with Huffman coding',
      [
        '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
        '8286 84be 5886 a8eb 1064 9cbf',
        '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      ],
    ],
  ])('%s', (_, blocks) => {
    const decoder = new HpackDecoder();
    expect(blocks.map((block) => decode(decoder, hex(block)))).toEqual([FIRST, SECOND, THIRD]);
  });

  test('C.2.3, a field that is never indexed', () => {
    const section = new FieldSection(LIMITS);
    section.begin(false);
    const block = hex('1008 7061 7373 776f 7264 0673 6563 7265 74');
    expect(new HpackDecoder().decode(block, 0, block.length, section)).toBe(true);
    expect([section.flat, section.neverIndexed]).toEqual([['password', 'secret'], ['password']]);
  });
});

const value = fc.string({
  unit: fc
    .integer({ min: 0x21, max: 0xff })
    .filter((c) => c !== 0x7f)
    .map((c) => String.fromCharCode(c)),
  maxLength: 40,
});
const name = fc.constantFrom(
  'x-a',
  'x-b',
  'accept',
  'user-agent',
  'etag',
  'x-long-name-of-a-field',
  'authorization',
  'set-cookie',
);
const head = fc.array(fc.tuple(name, fc.oneof(value, fc.constantFrom('', 'one', 'gzip, deflate', 'v'.repeat(300)))), {
  maxLength: 12,
});

describe('what is encoded is decoded to the same', () => {
  test('bytes in Huffman code', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const text = Buffer.from(bytes).toString('latin1');
        const coded = Buffer.alloc(huffmanLength(text));
        expect(huffmanEncode(text, coded, 0)).toBe(coded.length);
        const decoded = Buffer.alloc(coded.length * 2);
        expect(decoded.subarray(0, huffmanDecode(coded, 0, coded.length, decoded)).toString('latin1')).toBe(text);
      }),
    );
  });

  test('heads, one after the other, while the size of the table changes', () => {
    const sized = fc.tuple(head, fc.option(fc.integer({ min: 0, max: 5_000 })));
    fc.assert(
      fc.property(fc.array(sized, { maxLength: 30 }), (heads) => {
        const [encoder, decoder] = [new HpackEncoder(16), new HpackDecoder()];
        for (const [fields, size] of heads) {
          if (size !== null) encoder.resize(size, size);
          expect(decode(decoder, encode(encoder, fields.flat()))).toEqual(fields.flat());
        }
      }),
    );
  });

  test('the same block again and again is a few bytes, and changes when the table does', () => {
    const [encoder, decoder] = [new HpackEncoder(16), new HpackDecoder()];
    const block = new FieldBlock(['x-a', 'one', 'x-b', 'two'], null);
    const bytes = Buffer.alloc(200);
    const lengths = [0, 1, 2, 3].map(() => {
      const end = encoder.encode(block, bytes, 0);
      expect(decode(decoder, bytes.subarray(0, end))).toEqual(block.flat);
      return end;
    });
    expect(lengths.slice(1)).toEqual([2, 2, 2]);
    expect(decode(decoder, encode(encoder, ['x-c', 'three']))).toEqual(['x-c', 'three']);
    expect(decode(decoder, bytes.subarray(0, encoder.encode(block, bytes, 0)))).toEqual(block.flat);
  });

  test('one block on many connections by turns is right on each, whatever came before there', () => {
    const shared = new FieldBlock(['x-a', 'one', 'x-b', 'two'], null);
    const ends = Array.from({ length: 12 }, () => [new HpackEncoder(16), new HpackDecoder()] as const);
    const bytes = Buffer.alloc(200);
    for (let turn = 0; turn < 200; turn++) {
      const [encoder, decoder] = ends[(turn * 7) % ends.length] as (typeof ends)[number];
      if (turn % 5 === 0) {
        expect(decode(decoder, encode(encoder, ['x-c', `${turn}`]))).toEqual(['x-c', `${turn}`]);
      }
      expect(decode(decoder, bytes.subarray(0, encoder.encode(shared, bytes, 0)))).toEqual(shared.flat);
    }
  });

  test('more blocks by turns than their encodings are kept of are right each time, while the table changes', () => {
    const [encoder, decoder] = [new HpackEncoder(16), new HpackDecoder()];
    const blocks = Array.from(
      { length: 60 },
      (_, i) => new FieldBlock(['x-a', 'one', 'x-b', `${i % 20}`, 'x-c', `${i}`], null),
    );
    const bytes = Buffer.alloc(300);
    fc.assert(
      fc.property(fc.array(fc.nat(59), { minLength: 1, maxLength: 200 }), fc.nat(4_096), (turns, size) => {
        encoder.resize(size, size);
        for (const turn of turns) {
          const block = blocks[turn] as FieldBlock;
          expect(decode(decoder, bytes.subarray(0, encoder.encode(block, bytes, 0)))).toEqual(block.flat);
        }
      }),
    );
  });

  test('a value that differs each time costs its name once, and leaves the encodings before it as they are', () => {
    const [encoder, decoder] = [new HpackEncoder(16), new HpackDecoder()];
    const base = new FieldBlock(['x-a', 'one', 'x-b', 'two'], null);
    const bytes = Buffer.alloc(200);
    const lengths = Array.from({ length: 100 }, (_, i) => {
      const end = encoder.encode(new FieldBlock(['grpc-timeout', `${1000 + i}m`], null, base), bytes, 0);
      expect(decode(decoder, bytes.subarray(0, end))).toEqual([...base.flat, 'grpc-timeout', `${1000 + i}m`]);
      return end;
    });
    // Two indexes, the name's index in a byte or two, and the value with its length.
    expect(Math.max(...lengths.slice(1))).toBeLessThanOrEqual(2 + 2 + 1 + 5);
  });

  test.each(['authorization', 'set-cookie'])('%s is in no table', (secret) => {
    const encoder = new HpackEncoder(16);
    const once = encode(encoder, [secret, 'abc']);
    expect((once[0] as number) & 0xf0).toBe(0x10);
    expect(encode(encoder, [secret, 'abc'])).toEqual(once);
  });

  test('a name whose values never come again stops filling the table', () => {
    const encoder = new HpackEncoder(16);
    encode(encoder, ['x-a', 'kept']);
    for (let i = 0; i < 1_000; i++) encode(encoder, ['x-request-id', `${i}`, 'x-a', 'kept']);
    expect(encode(encoder, ['x-a', 'kept'])).toHaveLength(1);
  });
});

const PYTHON = '/usr/bin/python3';
const hasPeer = spawnSync(PYTHON, ['-c', 'import hpack']).status === 0;

/** Python's HPACK in a process of its own. */
function peer() {
  const child = spawn(PYTHON, [fileURLToPath(new URL('hpack-peer.py', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill());
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async (commands: readonly object[]): Promise<unknown[]> => {
    child.stdin.write(commands.map((command) => `${JSON.stringify(command)}\n`).join(''));
    const answers: unknown[] = [];
    for (const _ of commands) answers.push(JSON.parse(String((await lines.next()).value)));
    return answers;
  };
}

describe.runIf(hasPeer)('against the HPACK of python3-hpack, random heads on many connections', () => {
  const connections = fc.sample(
    fc.array(fc.tuple(head, fc.option(fc.integer({ min: 0, max: 4_096 }))), { minLength: 1, maxLength: 30 }),
    { numRuns: 150, seed: 7 },
  );

  test('it decodes what we encode', async () => {
    const ask = peer();
    for (const [connection, heads] of connections.entries()) {
      const encoder = new HpackEncoder(16);
      const commands = heads.map(([fields, size]) => {
        if (size !== null) encoder.resize(size, size);
        return { connection, block: encode(encoder, fields.flat()).toString('hex') };
      });
      expect(await ask(commands)).toEqual(heads.map(([fields]) => fields.flat()));
    }
  });

  test('we decode what it encodes', async () => {
    const ask = peer();
    for (const [connection, heads] of connections.entries()) {
      const commands = heads.map(([fields, size], i) => ({
        connection,
        fields: fields.flat(),
        secret: ['authorization'],
        huffman: i % 3 > 0,
        ...(size === null ? {} : { size }),
      }));
      const decoder = new HpackDecoder();
      const blocks = (await ask(commands)) as string[];
      expect(blocks.map((block) => decode(decoder, hex(block)))).toEqual(heads.map(([fields]) => fields.flat()));
    }
  });
});
