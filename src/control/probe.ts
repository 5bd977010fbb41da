/** Whether anything at a backend takes a connection: what is asked before a first request is sent there, and before a side is called dead. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Endpoint } from '../domain/snapshot.ts';
import type { BackendSpec } from '../seam.ts';
import { formatEndpoint } from './backends.ts';

const PROBE_MS = 250;
/** Endpoints that are tried at most, all at once. */
const MOST_PROBES = 16;

/** Null: an endpoint takes connections (and secures them, where that is configured). Else why none does. */
export async function probeBackend(spec: BackendSpec, endpoints: readonly Endpoint[]): Promise<string | null> {
  if (endpoints.length === 0) return `${spec.name} has no endpoint`;
  const tried = endpoints.slice(0, MOST_PROBES);
  const probes = tried.map(async (endpoint) => {
    const failure = await probe(spec, endpoint);
    if (failure !== null) throw new Error(`${formatEndpoint(endpoint)} ${failure}`);
  });
  try {
    await Promise.any(probes);
    return null;
  } catch (error) {
    const [first] = (error as AggregateError).errors as Error[];
    const others = tried.length === 1 ? '' : `, and ${tried.length - 1} more`;
    return `no endpoint of ${spec.name} takes a connection: ${first?.message}${others}`;
  }
}

function probe({ tls }: BackendSpec, endpoint: Endpoint): Promise<string | null> {
  const { host, port, name } = endpoint;
  return new Promise((resolve) => {
    const socket = tls === undefined ? connect({ host, port }) : secured(tls, { host, port, name: name ?? host });
    const end = (failure: string | null): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(failure);
    };
    const timer = setTimeout(() => end(`does not answer within ${PROBE_MS} ms`), PROBE_MS);
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => end(null));
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}

function secured(
  tls: NonNullable<BackendSpec['tls']>,
  { host, port, name }: { readonly host: string; readonly port: number; readonly name: string },
): Socket {
  const servername = tls.serverName ?? (/^[\d.]+$|:/.test(name) ? undefined : name);
  return connectTls({
    host,
    port,
    rejectUnauthorized: !tls.insecure,
    ...(tls.ca !== undefined && { ca: tls.ca }),
    ...(tls.certificate !== undefined && { cert: tls.certificate }),
    ...(tls.key !== undefined && { key: tls.key }),
    ...(servername !== undefined && { servername }),
  });
}
