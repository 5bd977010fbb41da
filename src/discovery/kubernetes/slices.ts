/** From EndpointSlices (discovery.k8s.io/v1) to the endpoints that may be sent requests. Pure; nulls are met wherever the API allows them. */
import type { Endpoint } from '../../domain/snapshot.ts';

/** What of an EndpointSlice is looked at. */
export interface EndpointSlice {
  readonly metadata?: {
    readonly name?: string;
    readonly labels?: Readonly<Record<string, string>> | null;
    readonly resourceVersion?: string;
  };
  readonly addressType?: string;
  readonly endpoints?: readonly SliceEndpoint[] | null;
  readonly ports?: readonly SlicePort[] | null;
}

interface SliceEndpoint {
  readonly addresses?: readonly string[] | null;
  readonly conditions?: {
    readonly ready?: boolean | null;
    readonly serving?: boolean | null;
    readonly terminating?: boolean | null;
  } | null;
  readonly targetRef?: { readonly kind?: string; readonly uid?: string } | null;
}

interface SlicePort {
  readonly name?: string | null;
  readonly port?: number | null;
  readonly protocol?: string | null;
}

interface Candidate {
  readonly endpoint: Endpoint;
  /** The pod where it is known: one of both address families is one endpoint. */
  readonly identity: string;
  readonly isIPv4: boolean;
}

/** A slice, read once for the port that is wanted. */
export interface SliceView {
  readonly ready: readonly Candidate[];
  /** They serve still, and will soon end: for when there is nothing else. */
  readonly ending: readonly Candidate[];
  /** Names of its ports, for when the wanted one is not among them. */
  readonly ports: readonly string[];
}

/** @param port by name, or by the number that stands in the slice */
export function readSlice({ addressType, endpoints, ports }: EndpointSlice, port: string | number): SliceView {
  const ready: Candidate[] = [];
  const ending: Candidate[] = [];
  const tcp = (ports ?? []).filter(({ protocol }) => (protocol ?? 'TCP') === 'TCP');
  const names = tcp.map((each) => each.name || String(each.port));
  const number = tcp.find((each) => (typeof port === 'number' ? each.port === port : (each.name ?? '') === port))?.port;
  if (typeof number !== 'number') return { ready, ending, ports: names };
  for (const { addresses, conditions, targetRef } of endpoints ?? []) {
    const host = addresses?.[0];
    if (host === undefined) continue;
    // What is not said counts as good: ready unless it says no, serving as it is ready, not terminating.
    const isReady = conditions?.ready ?? true;
    const isServing = conditions?.serving ?? isReady;
    const isTerminating = conditions?.terminating ?? false;
    const identity = targetRef?.kind === 'Pod' && targetRef.uid ? targetRef.uid : host;
    const candidate = { endpoint: { host, port: number }, identity, isIPv4: addressType === 'IPv4' };
    if (isReady) ready.push(candidate);
    else if (isServing && isTerminating) ending.push(candidate);
  }
  return { ready, ending, ports: names };
}

/** Over all slices of a service: those that are ready; if none is, those that serve while they terminate (KEP-1669); else none. */
export function selectEndpoints(views: Iterable<SliceView>): Endpoint[] {
  const all = [...views];
  const ready = distinct(all.flatMap((view) => view.ready));
  return ready.length > 0 ? ready : distinct(all.flatMap((view) => view.ending));
}

/** An endpoint may stand in several slices while they are rewritten. Of a pod's two addresses the IPv4 one is taken. */
function distinct(candidates: readonly Candidate[]): Endpoint[] {
  const found = new Map<string, Candidate>();
  for (const candidate of candidates) {
    const key = `${candidate.identity} ${candidate.endpoint.port}`;
    const known = found.get(key);
    if (known === undefined || (candidate.isIPv4 && !known.isIPv4)) found.set(key, candidate);
  }
  return [...found.values()].map(({ endpoint }) => endpoint);
}
