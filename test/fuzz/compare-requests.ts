import { RequestTranscript, type SeenRequest } from '../http1/transcript.ts';
import {
  difference,
  failed,
  isPrefixRelated,
  isSameList,
  type Parting,
  refusal,
  SAME,
  type Verdict,
} from './divergence.ts';
import type { NodeRequest, NodeRequests } from './node-server.ts';
import { REFUSED, TAKEN } from './request-divergences.ts';

/** Compares message by message; the first at which the two part decides, since nothing behind it has a common meaning. */
export function compareRequests(ours: RequestTranscript, theirs: NodeRequests, bytes: Buffer): Verdict {
  for (let i = 0; i < Math.max(ours.requests.length, theirs.requests.length); i++) {
    const our = ours.requests[i] ?? null;
    const their = theirs.requests[i] ?? null;
    const before = ours.requests[i - 1] ?? null;
    // What comes behind an upgrade is HTTP only if the backend declines it.
    if (before?.wantsUpgrade === true) return SAME;
    const what = their === null ? 'takes what llhttp refuses' : our === null ? null : differs(our, their);
    if (our !== null && what === null && our.isComplete && their?.isComplete === true) continue;
    const beforeTheirs = theirs.requests[i - 1] ?? null;
    const parting = { ours: our, theirs: their, before, beforeTheirs, error: theirs.error, text: behind(bytes, i) };
    if (our === null) return missing(ours, parting);
    return what === null ? unfinished(ours, our, parting) : difference(TAKEN, parting, what);
  }
  return SAME;
}

/** The bytes behind the first requests of a stream. */
function behind(bytes: Buffer, requests: number): string {
  const transcript = new RequestTranscript();
  const isBehind = (): boolean => requests === 0 || transcript.requests[requests - 1]?.isComplete === true;
  let at = 0;
  while (!isBehind() && at < bytes.length) transcript.feed(bytes.subarray(at, ++at));
  return bytes.toString('latin1', at);
}

/** llhttp has a message that this codec has not. */
function missing(ours: RequestTranscript, parting: Parting<SeenRequest, NodeRequest>): Verdict {
  if (ours.fault !== null) return refusal(REFUSED, parting);
  return parting.before?.keepAlive === false ? refusal(REFUSED, parting) : failed('waits where llhttp goes on');
}

/** Both have the head and the same bytes of the body, and at least one of them has not its end. */
function unfinished(ours: RequestTranscript, our: SeenRequest, parting: Parting<SeenRequest, NodeRequest>): Verdict {
  const isTheirsComplete = parting.theirs?.isComplete === true;
  if (our.isComplete) return difference(TAKEN, parting, 'ends a body where llhttp does not');
  if (!isTheirsComplete) return SAME;
  return ours.fault === null ? failed('waits for more of a body that is over for llhttp') : refusal(REFUSED, parting);
}

function differs(our: SeenRequest, their: NodeRequest): string | null {
  if (our.method !== their.method) return 'method';
  if (our.target !== originForm(their)) return 'target';
  if (`1.${our.minorVersion}` !== their.version) return 'version';
  if (!isSameList(our.fields, their.fields)) return 'fields';
  if (our.isComplete && their.isComplete ? our.body !== their.body : !isPrefixRelated(our.body, their.body))
    return 'body';
  return null;
}

/** Path and query of an absolute-form; anything else as it is. */
function originForm({ method, url }: NodeRequest): string {
  const rest = /^https?:\/\/[^/?#]*(.*)$/i.exec(url)?.[1];
  if (rest === undefined) return url;
  if (rest === '') return method === 'OPTIONS' ? '*' : '/';
  return rest.startsWith('/') ? rest : `/${rest}`;
}
