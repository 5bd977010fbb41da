/** The sample backends of the demo, in processes of their own so that the supervisor stays lean. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Endpoint } from '../domain/snapshot.ts';

const SCRIPT = fileURLToPath(new URL('./backend.js', import.meta.url));

export interface SampleBackend {
  readonly side: string;
  readonly endpoint: Endpoint;
  /** `h2`: the greeter of gRPC. */
  readonly protocol: 'http1' | 'h2';
}

export interface SampleBackends {
  stop(): Promise<void>;
}

/** Rejects, with nothing left running, when one cannot listen. */
export async function startSampleBackends(backends: readonly SampleBackend[]): Promise<SampleBackends> {
  const children = backends.map(({ side, endpoint, protocol }) =>
    fork(SCRIPT, [side, endpoint.host, String(endpoint.port), protocol]),
  );
  const stop = async (): Promise<void> => {
    await Promise.all(children.map(ended));
  };
  try {
    await Promise.all(children.map((child, i) => listening(child, backends[i]?.endpoint as Endpoint)));
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

function listening(child: ChildProcess, { host, port }: Endpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (reason: string): void => reject(new Error(`The sample backend ${host}:${port} ${reason}`));
    child.once('message', ({ failure }: { failure: string | null }) => {
      if (failure === null) resolve();
      else failed(`cannot listen: ${failure}`);
    });
    child.once('error', (error) => failed(`cannot be started: ${error.message}`));
    child.once('exit', (code) => failed(`ended with exit code ${code}`));
  });
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    if (child.connected) child.disconnect();
  });
}
