/** TLS of a whole replica: sessions across its workers, and certificates that are replaced while it serves. */
import { copyFileSync } from 'node:fs';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { Agent, get } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Origins, Replica, yamlOf } from './replica.ts';
import { until } from './until.ts';

let origins: Origins;
let replica: Replica;
let port: number;

function install(name: string, as: string): void {
  for (const kind of ['crt', 'key']) {
    const from = fileURLToPath(new URL(`../fixtures/tls/${name}.${kind}`, import.meta.url));
    copyFileSync(from, join(replica.folder, `${as}.${kind}`));
  }
}

beforeEach(async () => {
  origins = new Origins();
  replica = new Replica();
  install('localhost', 'own');
  const yaml = yamlOf(await origins.start(), { head: 'ticketRotation: 3s' });
  replica.configure(yaml.replace('127.0.0.1:0" }]', '127.0.0.1:0", tls: { certificate: own.crt, key: own.key } }]'));
  await replica.start();
  port = Number(new URL(replica.proxy).port);
});

afterEach(async () => {
  await replica.dispose();
  origins.stop();
});

/** For a machine that does other work: handshakes are not cheap. */
const PATIENCE_MS = 60_000;
const TIMEOUT_MS = 2 * PATIENCE_MS;

const TO_PROXY = { host: '127.0.0.1', rejectUnauthorized: false };

/** What one connection of its own saw; `session` can resume it. @throws what kept it from being made */
function shake(session?: Buffer): Promise<{ isResumed: boolean; print: string; session: Buffer }> {
  const socket = connect({ ...TO_PROXY, port, ...(session && { session }) });
  return new Promise((resolve, reject) => {
    const end = (next: Buffer): void => {
      const { fingerprint256: print } = socket.getPeerCertificate();
      resolve({ isResumed: socket.isSessionReused(), print, session: next });
      socket.destroy();
    };
    // No other ticket is given for one that was good.
    socket.once('secureConnect', () => session !== undefined && socket.isSessionReused() && end(session));
    socket.once('error', reject).once('session', end).resume();
  });
}

test('sessions are resumed by any worker, and when the keys of tickets are replaced, begun anew', {
  timeout: TIMEOUT_MS,
}, async () => {
  let { session } = await shake();
  let resumed = 0;
  let anew = 0;
  // Connections fall on both workers, and keys live for 3 s.
  await until(
    'both',
    async () => {
      const next = await shake(session);
      if (next.isResumed) resumed++;
      else anew++;
      ({ session } = next);
      return resumed >= 8 && anew >= 1;
    },
    PATIENCE_MS,
  );
});

/** Requests one after the other until told to stop; resolves with how many, rejects when one fails. */
async function ask(isOver: () => boolean, once: () => Promise<string>): Promise<number> {
  for (let answered = 0; ; answered++) {
    if (isOver()) return answered;
    expect(await once()).toBe('old');
  }
}

function overHttp1(agent: Agent | false): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ ...TO_PROXY, port, agent }, (response) => void text(response).then(resolve, reject)).once('error', reject);
  });
}

function overHttp2(session: ClientHttp2Session): Promise<string> {
  return text(session.request({ ':path': '/' }).on('error', () => undefined));
}

test('a certificate that is replaced under load: none fails, and new connections are shown the new one', {
  timeout: TIMEOUT_MS,
}, async () => {
  const before = (await shake()).print;
  let isOver = false;
  const kept = new Agent({ keepAlive: true, maxSockets: 2 });
  const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  const flow = Promise.all(
    [() => overHttp1(kept), () => overHttp1(false), () => overHttp2(session), () => overHttp2(session)].map((once) =>
      ask(() => isOver, once),
    ),
  );
  install('renewed', 'own');
  replica.signal('SIGHUP');
  let inRow = 0;
  await Promise.race([
    flow,
    until(
      'it to be shown by every worker',
      async () => {
        inRow = (await shake()).print === before ? 0 : inRow + 1;
        return inRow === 8;
      },
      PATIENCE_MS,
    ),
  ]);
  isOver = true;
  for (const answered of await flow) expect(answered).toBeGreaterThan(0);
  expect(session.closed).toBe(false);
  expect((await replica.status()).alarm).toBeNull();
  session.destroy();
  kept.destroy();
});
