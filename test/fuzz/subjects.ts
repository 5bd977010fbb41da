/** The two kinds of cases: a client's bytes and a backend's bytes. */
import { isDeepStrictEqual } from 'node:util';
import { cutAt, singleBytes } from '../http1/cuts.ts';
import { REQUEST_LIMITS, readRequests, readResponse } from '../http1/transcript.ts';
import type { Subject } from './campaign.ts';
import { compareRequests } from './compare-requests.ts';
import { compareResponses } from './compare-responses.ts';
import { failed, type Verdict } from './divergence.ts';
import { NodeClient } from './node-client.ts';
import { NodeServer } from './node-server.ts';
import { Random } from './random.ts';
import { requestCase } from './request-generator.ts';
import { responseCase } from './response-generator.ts';

/** Every eighth case arrives byte by byte, the others cut at up to four random places. */
function cut(random: Random, bytes: Buffer): Uint8Array[] {
  if (random.chance(0.125)) return singleBytes(bytes);
  const places = Array.from({ length: random.below(5) }, () => random.below(bytes.length + 1));
  return cutAt(
    bytes,
    places.sort((a, b) => a - b),
  );
}

export function requestSubject(): Subject {
  const server = new NodeServer();
  return {
    name: 'requests',
    begin: (seed) => () => {
      const random = new Random(seed);
      const { bytes, isPlain } = requestCase(random);
      const pieces = cut(random, bytes);
      return { bytes, verdict: judgeRequests(server, bytes, pieces, isPlain) };
    },
  };
}

function judgeRequests(server: NodeServer, bytes: Buffer, pieces: Uint8Array[], isPlain: boolean): Verdict {
  const whole = readRequests([bytes]);
  const inPieces = readRequests(pieces);
  if (!isDeepStrictEqual(whole.told, inPieces.told)) return failed('the cuts change what is told');
  if (isPlain && (whole.fault !== null || whole.last?.isComplete !== true)) return failed('a plain case is not taken');
  if (inPieces.mostBuffered > REQUEST_LIMITS.headBytes) return failed('holds back more than a head');
  return compareRequests(whole, server.read(pieces), bytes);
}

export function responseSubject(): Subject {
  return {
    name: 'responses',
    begin: (seed) => {
      const random = new Random(seed);
      const { bytes, isPlain, method, ends } = responseCase(random);
      const pieces = cut(random, bytes);
      const client = new NodeClient(method);
      return () => {
        const reading = { answersHead: method === 'HEAD', ends };
        const whole = readResponse([bytes], reading);
        const theirs = client.read(pieces, ends);
        if (!isDeepStrictEqual(whole.told, readResponse(pieces, reading).told)) {
          return { bytes, verdict: failed('the cuts change what is told') };
        }
        const isTaken = whole.fault === null && whole.last !== undefined;
        if (isPlain && !isTaken) return { bytes, verdict: failed('a plain case is not taken') };
        return { bytes, verdict: compareResponses(whole, theirs, bytes.toString('latin1')) };
      };
    },
  };
}
