/** Holds both sides of a route against each other, before the first request is moved. */
import { compareSides, type RouteExamination, type SideExamination } from '../domain/doctor.ts';
import { NEW, OLD, type RouteSpec, type SideIndex } from '../domain/route.ts';
import type { Endpoint } from '../domain/snapshot.ts';
import type { BackendSpec } from '../seam.ts';
import { formatEndpoint } from './backends.ts';
import type { BackendView } from './control.ts';
import { refusesConnection, type SampleRequest, sampleHttp1, shakeHands, speaksHttp2 } from './sampling.ts';
import type { Supervisor } from './supervisor.ts';

/** Endpoints of a side that are connected to, spread over all of them. */
const MOST_TRIED = 20;

/** @param nowMs milliseconds since 1970. @param path of the sample request; undefined: the one that the route matches */
export async function examineRoute(
  supervisor: Supervisor,
  spec: RouteSpec,
  path: string | undefined,
  nowMs: number,
): Promise<RouteExamination> {
  const request = sampleRequest(spec, path);
  const views = supervisor.discoveries();
  const look = (side: SideIndex): Promise<SideExamination> => {
    const index = side === OLD ? spec.old : spec.new;
    const backend = supervisor.plan.backends[index]?.spec as BackendSpec;
    return examineSide(backend, views[index] as BackendView, supervisor.endpoints(index), request);
  };
  const [old, next] = await Promise.all([look(OLD), look(NEW)]);
  const words = request === null ? 'none: the route takes no GET' : `${request.method} ${request.path}`;
  return { route: spec.name, request: words, old, new: next, findings: compareSides(old, next, nowMs) };
}

/** Null: the route takes no request that is safe to send. */
function sampleRequest({ match }: RouteSpec, path: string | undefined): SampleRequest | null {
  const method = ['GET', 'HEAD'].find((each) => match.methods === undefined || match.methods.includes(each));
  if (method === undefined || match.grpc !== undefined) return null;
  const own = typeof match.path === 'object' ? match.path.exact : (match.path ?? '/');
  const host = match.hosts?.[0]?.replace(/^\*\./, 'doctor.');
  return {
    method,
    path: path ?? own,
    headers: { ...match.headers, 'user-agent': 'crossfade-doctor', ...(host === undefined ? {} : { host }) },
  };
}

async function examineSide(
  backend: BackendSpec,
  { alarm }: BackendView,
  endpoints: readonly Endpoint[],
  request: SampleRequest | null,
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
  request: SampleRequest | null,
): Promise<Pick<SideExamination, 'protocols' | 'sample' | 'noSample'>> {
  const [hasHttp2, answer] = await Promise.all([
    speaksHttp2(endpoint, backend),
    sampleHttp1(endpoint, backend, request ?? { method: 'OPTIONS', path: '*', headers: {} }).catch(
      (error: unknown) => error as Error,
    ),
  ]);
  const hasHttp1 = !(answer instanceof Error);
  const protocols = [...(hasHttp1 ? ['http1'] : []), ...(hasHttp2 ? ['h2'] : [])];
  if (request === null) return { protocols, sample: null, noSample: 'the route takes no GET' };
  return hasHttp1
    ? { protocols, sample: answer, noSample: null }
    : { protocols, sample: null, noSample: answer.message };
}
