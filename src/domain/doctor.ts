/** What both sides of a route look like before anything is moved, and what of it would break. Pure: the looking is control's. */

/** What one request, as the route takes it, got from a side. */
export interface Sample {
  readonly status: number;
  /** Names of the response's fields, in lower case. */
  readonly fields: string[];
  readonly contentType: string | null;
  /** Median in milliseconds, without connecting. */
  readonly latencyMs: number;
  /** Of a gRPC call; -1: there was none. Absent: it was no gRPC. */
  readonly grpcStatus?: number;
}

export interface SideExamination {
  readonly backend: string;
  readonly endpoints: number;
  /** What is wrong with the source of the endpoints. */
  readonly alarm: string | null;
  /** How many of the endpoints were tried, and what was wrong with those that took no connection (`host:port words`). */
  readonly tried: number;
  readonly unreachable: string[];
  /** What the proxy speaks to it; `auto`: what it chooses. */
  readonly configured: 'http1' | 'h2' | 'auto';
  /** Which protocols an endpoint was found to speak: http1, h2. */
  readonly protocols: string[];
  /** Null: cleartext. `refused`: why the handshake failed. */
  readonly tls: { readonly refused: string | null; readonly expiresAt: number | null } | null;
  /** Null: none could be had; `noSample` says why. */
  readonly sample: Sample | null;
  readonly noSample: string | null;
}

export interface Finding {
  /** `breaks`: requests that move would fail; `differs`: look before you move. */
  readonly severity: 'breaks' | 'differs';
  readonly text: string;
}

export interface RouteExamination {
  readonly route: string;
  readonly request: string;
  readonly old: SideExamination;
  readonly new: SideExamination;
  readonly findings: Finding[];
}

/** A certificate that ends sooner is worth a word. */
const SOON_MS = 14 * 24 * 3_600_000;
/** As the judge takes a request for slow: beyond a quarter more and 25 ms more. */
const SLOWER = 1.25;
const SLACK_MS = 25;
/** Fields that differ between any two servers and mean nothing to a client. */
const OF_THE_SERVER = new Set([
  'date',
  'server',
  'via',
  'connection',
  'keep-alive',
  'content-length',
  'transfer-encoding',
  'etag',
  'age',
]);

/**
 * @param nowMs milliseconds since 1970
 * @param lack why new could not carry all of the present traffic; null: it could, or nobody has said what an endpoint carries
 */
export function compareSides(
  old: SideExamination,
  next: SideExamination,
  nowMs: number,
  lack: string | null = null,
): Finding[] {
  return [
    ...(lack === null ? [] : [differs(`at 100%: ${lack}`)]),
    ...examine('old', old, nowMs),
    ...examine('new', next, nowMs),
    ...compareSamples(old.sample, next.sample),
    ...compareSets(old, next),
  ];
}

function breaks(text: string): Finding {
  return { severity: 'breaks', text };
}

function differs(text: string): Finding {
  return { severity: 'differs', text };
}

function examine(
  side: string,
  { backend, endpoints, alarm, tried, unreachable, tls, protocols, configured, noSample }: SideExamination,
  nowMs: number,
): Finding[] {
  const name = `${side} (${backend})`;
  const found: Finding[] = [];
  if (alarm !== null) found.push(endpoints === 0 ? breaks(`${name}: ${alarm}`) : differs(`${name}: ${alarm}`));
  else if (endpoints === 0) found.push(breaks(`${name} has no endpoint`));
  if (unreachable.length > 0) {
    const words = `${name}: ${unreachable.length} of ${tried} endpoints tried take no connection: ${unreachable.join(', ')}`;
    found.push(unreachable.length === tried ? breaks(words) : differs(words));
  }
  if (tls !== null && tls.refused !== null) found.push(breaks(`${name}: TLS fails: ${tls.refused}`));
  if (tls !== null && tls.expiresAt !== null && tls.expiresAt - nowMs < SOON_MS) {
    found.push(differs(`${name}: its certificate ends on ${new Date(tls.expiresAt).toISOString().slice(0, 10)}`));
  }
  const connects = endpoints > 0 && unreachable.length < tried && tls?.refused == null;
  if (connects && protocols.length === 0) found.push(breaks(`${name} speaks neither HTTP/1.1 nor HTTP/2`));
  else if (connects && configured !== 'auto' && !protocols.includes(configured)) {
    found.push(breaks(`${name} is configured for ${configured}, but speaks ${protocols.join(', ')}`));
  } else if (connects && noSample !== null) found.push(differs(`${name}: no sample: ${noSample}`));
  return found;
}

function compareSamples(old: Sample | null, next: Sample | null): Finding[] {
  if (old === null || next === null) return [];
  const found: Finding[] = [];
  if (old.status !== next.status) {
    const words = `the sample request is answered ${old.status} by old and ${next.status} by new`;
    found.push(next.status >= 400 && old.status < 400 ? breaks(words) : differs(words));
  }
  if (old.grpcStatus !== undefined && next.grpcStatus !== undefined && old.grpcStatus !== next.grpcStatus) {
    const words = `the sample call ends with gRPC status ${grpcName(old)} from old and ${grpcName(next)} from new`;
    found.push(next.grpcStatus !== GRPC_OK && old.grpcStatus === GRPC_OK ? breaks(words) : differs(words));
  }
  if (old.contentType !== next.contentType) {
    found.push(
      differs(`Content-Type is ${old.contentType ?? 'absent'} from old and ${next.contentType ?? 'absent'} from new`),
    );
  }
  const missing = old.fields.filter((field) => !next.fields.includes(field) && !OF_THE_SERVER.has(field));
  const more = next.fields.filter((field) => !old.fields.includes(field) && !OF_THE_SERVER.has(field));
  if (missing.length > 0) found.push(differs(`only old sends ${missing.join(', ')}`));
  if (more.length > 0) found.push(differs(`only new sends ${more.join(', ')}`));
  if (next.latencyMs > Math.max(old.latencyMs * SLOWER, old.latencyMs + SLACK_MS)) {
    found.push(differs(`new takes ${next.latencyMs.toFixed(1)} ms where old takes ${old.latencyMs.toFixed(1)} ms`));
  }
  return found;
}

const GRPC_OK = 0;

function grpcName({ grpcStatus = -1 }: Sample): string {
  return grpcStatus === -1 ? 'missing' : String(grpcStatus);
}

function compareSets(old: SideExamination, next: SideExamination): Finding[] {
  const common = old.protocols.filter((protocol) => next.protocols.includes(protocol));
  if (old.protocols.length > 0 && next.protocols.length > 0 && common.length === 0) {
    return [differs(`old speaks ${old.protocols.join(', ')}, new speaks ${next.protocols.join(', ')}`)];
  }
  return [];
}
