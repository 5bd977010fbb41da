import type { ResponseTranscript, SeenResponse } from '../http1/transcript.ts';
import { difference, failed, isPrefixRelated, isSameList, refusal, SAME, type Verdict } from './divergence.ts';
import type { NodeResponse } from './node-client.ts';
import { REFUSED, TAKEN } from './response-divergences.ts';

/** Compares the answer to one request; what comes behind it is no answer to anything, and node:http does not look at it. */
export function compareResponses(ours: ResponseTranscript, theirs: NodeResponse, text: string): Verdict {
  const our = ours.responses[0] ?? null;
  const parting = { ours: our, theirs, before: null, beforeTheirs: null, error: theirs.error, text };
  if (our === null) {
    if (theirs.status === null) return SAME;
    return ours.fault === null ? failed('waits where llhttp goes on') : refusal(REFUSED, parting);
  }
  const what = differs(ours, our, theirs);
  if (what !== null) return difference(TAKEN, parting, what);
  if (our.isComplete) return theirs.isComplete ? SAME : difference(TAKEN, parting, 'ends a body where llhttp does not');
  if (!theirs.isComplete) return SAME;
  return ours.fault === null ? failed('waits for more of a body that is over for llhttp') : refusal(REFUSED, parting);
}

function differs(ours: ResponseTranscript, our: SeenResponse, their: NodeResponse): string | null {
  if (their.status === null) return 'takes what llhttp refuses';
  if (our.status !== their.status) return 'status';
  if (our.reason !== their.reason) return 'reason';
  if (!isSameList(ours.interim.map(String), their.interim.map(String))) return 'interim responses';
  if (!isSameList(our.fields, their.fields)) return 'fields';
  if (our.isComplete && their.isComplete ? our.body !== their.body : !isPrefixRelated(our.body, their.body))
    return 'body';
  return null;
}
