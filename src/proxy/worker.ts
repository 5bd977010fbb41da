/** A worker process: serves what the supervisor's messages say and counts what happens. Run by node:cluster. */
import cluster from 'node:cluster';
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { MemorySample } from '../domain/memory-pressure.ts';
import type { DownMessage, UpMessage } from '../seam.ts';
import { Service } from './service.ts';

/** Beat of the counts up to the supervisor. */
const BEAT_MS = 100;
/** Without a supervisor: how long connections are still accepted, unless the next supervisor asks for the ports (SIGTERM). */
const ORPHAN_MS = 10_000;

function send(message: UpMessage): void {
  if (process.connected) process.send?.(message);
}

function memory(): MemorySample {
  const { rss, heapUsed, external } = process.memoryUsage();
  return { residentBytes: rss, usedBytes: heapUsed + external };
}

function main(): void {
  const service = new Service({
    send,
    memory,
    // There with --expose-gc, which the supervisor gives its workers.
    collect: () => globalThis.gc?.(),
    exit: () => process.exit(0),
    sources: { clock: () => performance.now(), random: Math.random, randomId: () => randomBytes(16).toString('hex') },
  });
  // The supervisor decides when a worker ends, after it has started another; a terminal's signals reach the whole group.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => {
    if (process.connected) send({ kind: 'leaving' });
    else service.drain(0);
  });
  process.on('SIGHUP', () => undefined);
  process.on('message', (message: DownMessage) => service.onMessage(message));
  // Set, so that the loss of the supervisor does not end the worker at once (node:cluster's default).
  if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
  process.on('disconnect', () => setTimeout(() => service.drain(0), ORPHAN_MS));
  setInterval(() => service.beat(), BEAT_MS);
  send({ kind: 'hello' });
}

main();
