/** What a scenario is told with, on top of the harness: everything is stopped with its test, and each request must have ended by then. */
import { onTestFinished } from 'vitest';
import { AT_INFLIGHT, cellsOf } from '../../src/domain/counts.ts';
import { Plane, type PlaneOptions, ScriptedBackend, until, type Wire } from './harness.ts';
import { type ReceivedMessage, takeMessage } from './message.ts';

export const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
export const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

/** A complete 200 with this body, one character a byte. */
export function ok(body: string): string {
  return `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

/** @param script runs on each connection, often until the connection ends in the middle of it */
export async function backend(script: (wire: Wire) => Promise<void> = async () => undefined): Promise<ScriptedBackend> {
  const scripted = new ScriptedBackend((wire) => void script(wire).catch(() => undefined));
  onTestFinished(() => scripted.close());
  return scripted.listen();
}

/** Answers each request with the same bytes when all of it has come. @param seen gets the requests */
export function answering(bytes: string, seen: ReceivedMessage[] = []): Promise<ScriptedBackend> {
  return backend(async (wire) => {
    for (;;) {
      seen.push(await message(wire));
      wire.say(bytes);
    }
  });
}

/** The data plane; at the end of the test no request may be under way, or have ended twice. */
export async function plane(
  options: Omit<PlaneOptions, 'old' | 'new'> & { old?: Ends; new?: Ends } = {},
): Promise<Plane> {
  const started = await Plane.start({ ...options, old: ports(options.old), new: ports(options.new) });
  onTestFinished(async () => {
    await started.stop();
    await until('every request to have ended, once', () => inflight(started) === 0);
  });
  return started;
}

type Ends = readonly (ScriptedBackend | number)[];

function ports(ends: Ends = []): number[] {
  return ends.map((end) => (typeof end === 'number' ? end : end.port));
}

/** Requests under way, of all routes, sides and tables. */
export function inflight(plane: Plane): number {
  plane.service.onMessage({ kind: 'flush', flush: 1 });
  let sum = 0;
  for (const counts of plane.messages) {
    if (counts.kind !== 'counts') continue;
    for (const [i, cell] of counts.cells.entries()) {
      if (cell % cellsOf(0, 1) === AT_INFLIGHT) sum += counts.values[i] as number;
    }
  }
  return sum;
}

/** A client's connection that stays open when the proxy ends its side, with something sent on it. */
export async function connect(plane: Plane, text = ''): Promise<Wire> {
  const wire = await plane.connect({ allowHalfOpen: true });
  if (text !== '') wire.say(text);
  return wire;
}

/** Takes one whole message off the wire; fails when the connection ends before the message does. @param answersHead no body, whatever the fields say */
export async function message(wire: Wire, answersHead = false): Promise<ReceivedMessage> {
  const taken = await until(`a whole message in ${JSON.stringify(wire.received.slice(0, 500))}`, () => {
    const found = takeMessage(wire.received, wire.ended && wire.error === '', answersHead);
    if (found === null && (wire.ended || wire.closed)) {
      throw new Error(`the connection ended in the middle of ${JSON.stringify(wire.received.slice(0, 500))}`);
    }
    return found;
  });
  wire.received = wire.received.slice(taken.length);
  return taken.message;
}

/** Says something and takes the answer. */
export function ask(wire: Wire, text: string, answersHead = false): Promise<ReceivedMessage> {
  wire.say(text);
  return message(wire, answersHead);
}

/** Takes what came up to and including the mark. */
export async function through(wire: Wire, mark: string): Promise<string> {
  await wire.sees(mark);
  const end = wire.received.indexOf(mark) + mark.length;
  const taken = wire.received.slice(0, end);
  wire.received = wire.received.slice(end);
  return taken;
}

/** Takes one head with its empty line. */
export function head(wire: Wire): Promise<string> {
  return through(wire, '\r\n\r\n');
}

/** Resolves when the connection is over both ways. */
export async function gone(wire: Wire): Promise<void> {
  await until(`the end both ways, after ${JSON.stringify(wire.received.slice(0, 500))}`, () => wire.closed);
}
