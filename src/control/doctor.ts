/** Holds both sides of a route against each other, before the first request is moved. */
import { compareSides, type RouteExamination, type Sample, type SideExamination } from '../domain/doctor.ts';
import { NEW, OLD, type RouteSpec, type SideIndex } from '../domain/route.ts';
import type { Endpoint } from '../domain/snapshot.ts';
import type { BackendSpec } from '../seam.ts';
import { formatEndpoint } from './backends.ts';
import type { BackendView } from './control.ts';
import {
  refusesConnection,
  type SampleCall,
  type SampleRequest,
  sampleGrpc,
  sampleHttp1,
  shakeHands,
  speaksHttp2,
} from './sampling.ts';
import type { Supervisor } from './supervisor.ts';

/** Endpoints of a side that are connected to, spread over all of them. */
const MOST_TRIED = 20;

export interface ExamineOptions {
  /** Of the sample request; undefined: the one that the route matches. */
  readonly path: string | undefined;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** Why new could not carry all of the present traffic; null: it could, as far as anybody knows. */
  readonly lack: string | null;
}

/** What both sides are asked; null: the route takes nothing that is safe to send. */
type Asked =
  | { readonly kind: 'http'; readonly of: SampleRequest }
  | { readonly kind: 'grpc'; readonly of: SampleCall }
  | null;

export async function examineRoute(
  supervisor: Supervisor,
  spec: RouteSpec,
  { path, nowMs, lack }: ExamineOptions,
): Promise<RouteExamination> {
  const request = sampleOf(spec, path);
  const views = supervisor.backends.discoveries();
  const look = (side: SideIndex): Promise<SideExamination> => {
    const index = side === OLD ? spec.old : spec.new;
    const backend = supervisor.plan.backends[index]?.spec as BackendSpec;
    return examineSide(backend, views[index] as BackendView, supervisor.backends.endpoints(index), request);
  };
  const [old, next] = await Promise.all([look(OLD), look(NEW)]);
  return {
    route: spec.name,
    request: inWords(request),
    old,
    new: next,
    findings: compareSides(old, next, nowMs, lack),
  };
}

function inWords(asked: Asked): string {
  if (asked === null) return 'none: the route takes no GET';
  return asked.kind === 'http' ? `${asked.of.method} ${asked.of.path}` : `gRPC health of ${asked.of.service}`;
}

function sampleOf(spec: RouteSpec, path: string | undefined): Asked {
  const { headers = {}, grpc } = spec.match;
  if (grpc !== undefined) return { kind: 'grpc', of: { service: grpc.service, headers: { ...headers, ...DOCTOR } } };
  const of = sampleRequest(spec, path);
  return of === null ? null : { kind: 'http', of };
}

const DOCTOR = { 'user-agent': 'crossfade-doctor' };

/** Null: the route takes no request that is safe to send. */
function sampleRequest({ match }: RouteSpec, path: string | undefined): SampleRequest | null {
  const method = ['GET', 'HEAD'].find((each) => match.methods === undefined || match.methods.includes(each));
  if (method === undefined) return null;
  const own = typeof match.path === 'object' ? match.path.exact : (match.path ?? '/');
  const host = match.hosts?.[0]?.replace(/^\*\./, 'doctor.');
  return {
    method,
    path: path ?? own,
    headers: { ...match.headers, ...DOCTOR, ...(host === undefined ? {} : { host }) },
  };
}

async function examineSide(
  backend: BackendSpec,
  { alarm }: BackendView,
  endpoints: readonly Endpoint[],
  request: Asked,
): Promise<SideExamination> {
  const step = Math.max(Math.floor(endpoints.length / MOST_TRIED), 1);
  const tried = endpoints.filter((_, i) => i % step === 0).slice(0, MOST_TRIED);
  const refusals = await Promise.all(tried.map(refusesConnection));
  const unreachable = tried.flatMap((endpoint, i) =>
    refusals[i] === null ? [] : [`${formatEndpoint(endpoint)} ${refusals[i]}`],
  );
  const known = {
    backend: backend.name,
    configured: backend.protocol ?? 'http1',
    endpoints: endpoints.length,
    alarm,
    tried: tried.length,
    unreachable,
  };
  const reachable = tried.find((_, i) => refusals[i] === null);
  const none = { ...known, protocols: [], tls: null, sample: null, noSample: null };
  if (reachable === undefined) return none;
  const tls = backend.tls === undefined ? null : await shakeHands(reachable, backend);
  if (tls !== null && tls.refused !== null) return { ...none, tls };
  return { ...known, tls, ...(await converse(reachable, backend, request)) };
}

async function converse(
  endpoint: Endpoint,
  backend: BackendSpec,
  asked: Asked,
): Promise<Pick<SideExamination, 'protocols' | 'sample' | 'noSample'>> {
  const http1: SampleRequest = asked?.kind === 'http' ? asked.of : { method: 'OPTIONS', path: '*', headers: {} };
  const [hasHttp2, answer] = await Promise.all([
    speaksHttp2(endpoint, backend),
    sampleHttp1(endpoint, backend, http1).catch((error: unknown) => error as Error),
  ]);
  const protocols = [...(answer instanceof Error ? [] : ['http1']), ...(hasHttp2 ? ['h2'] : [])];
  if (asked === null) return { protocols, sample: null, noSample: 'the route takes no GET' };
  const sample = asked.kind === 'http' ? answer : await callOf(endpoint, backend, asked.of, hasHttp2);
  return sample instanceof Error
    ? { protocols, sample: null, noSample: sample.message }
    : { protocols, sample, noSample: null };
}

async function callOf(
  endpoint: Endpoint,
  backend: BackendSpec,
  call: SampleCall,
  hasHttp2: boolean,
): Promise<Sample | Error> {
  if (!hasHttp2) return new Error('it does not speak HTTP/2');
  return sampleGrpc(endpoint, backend, call).catch((error: unknown) => error as Error);
}
