/** Every smuggling family through the whole proxy: what the client is told, and every byte that a backend gets to see. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ERRORS } from '../../src/domain/errors.ts';
import { SMUGGLING_CASES, type SmugglingCase } from '../http1/smuggling-cases.ts';
import { Plane, ScriptedBackend, until, type Wire } from './harness.ts';
import { connect, message, OK } from './scene.ts';

/** A head as nobody can misread it: one line each, a token, a colon, a value without controls. */
const PLAIN_HEAD =
  /^[!#$%&'*+\-.^_`|~\w]+ [\x21-\x7e]+ HTTP\/1\.1\r\n(?:[!#$%&'*+\-.^_`|~\w]+:[\t\x20-\x7e\x80-\xff]*\r\n)+\r\n$/;

interface Seen {
  readonly method: string;
  readonly target: string;
  readonly body: string;
}

/** Everything that backends have seen and the case in hand has not accounted for. */
const seen: Seen[] = [];
/** Heads that somebody might misread. */
const odd: string[] = [];
let origin: ScriptedBackend;
let proxy: Plane;

// One proxy for all, so that what one case leaves behind would come up in the next.
beforeAll(async () => {
  origin = new ScriptedBackend((wire) => void answer(wire).catch(() => undefined));
  await origin.listen();
  proxy = await Plane.start({ old: [origin.port] });
});

afterEach(() => {
  seen.length = odd.length = 0;
});
afterAll(async () => {
  await proxy.stop();
  origin.close();
});

/** Answers each request that is whole and writes it down. */
async function answer(wire: Wire): Promise<void> {
  for (;;) {
    const { head, startLine, body, all } = await message(wire);
    const framing = [...all('content-length'), ...all('transfer-encoding')];
    if (!PLAIN_HEAD.test(head) || framing.length > 1 || all('host').length !== 1 || all('upgrade').length > 0)
      odd.push(head);
    const [method = '', target = ''] = startLine.split(' ');
    seen.push({ method, target, body });
    wire.say(OK);
  }
}

/** Every answer on the connection; where the bytes are refused, the refusal is the last and the connection ends behind it. */
async function statuses(client: Wire, { requests, fault }: SmugglingCase): Promise<number[]> {
  const found: number[] = [];
  for (const { method } of requests) found.push((await message(client, method === 'HEAD')).status);
  if (fault === null) return found;
  found.push((await message(client)).status);
  await client.isClosed();
  expect(client.received).toBe('');
  return found;
}

/** What has come to backends and is no whole request; none of them may wait for more. */
async function leftovers(): Promise<string[]> {
  await until('no backend to wait for the rest of a request', () =>
    origin.wires.every((wire) => wire.received === '' || wire.ended || wire.closed),
  );
  return origin.wires.map((wire) => wire.take()).filter((received) => received !== '');
}

async function passesThrough(each: SmugglingCase): Promise<void> {
  const { bytes, requests, cut, fault } = each;
  const client = await connect(proxy, bytes);
  const expected = requests.map(() => 200);
  if (fault !== null) expected.push(ERRORS[fault].status);
  expect(await statuses(client, each)).toEqual(expected);
  const left = await leftovers();
  client.socket.destroy();
  expect(seen.splice(0)).toEqual(requests);
  expect(odd.splice(0)).toEqual([]);
  expect(left.length).toBeLessThanOrEqual(cut === undefined ? 0 : 1);
  if (cut === undefined || left[0] === undefined) return;
  // A request that was cut: its head, a part of its body, and never the end of it.
  expect(left[0].startsWith(`${cut.method} ${cut.target} HTTP/1.1\r\n`)).toBe(true);
  expect(left[0]).not.toContain('\r\n0\r\n\r\n');
}

/** Here the preface is no request of HTTP/1.1, but the beginning of a connection of HTTP/2. */
function isHttp2({ bytes }: SmugglingCase): boolean {
  return bytes.startsWith('PRI * HTTP/2.0');
}

describe.each([...new Set(SMUGGLING_CASES.map(({ family }) => family))])('%s', (family) => {
  test.each(SMUGGLING_CASES.filter((each) => each.family === family && !isHttp2(each)))('$name ($rfc)', passesThrough);
});
