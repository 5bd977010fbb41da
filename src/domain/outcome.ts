/** What an exchange proved about its side, as indexes in the order of OUTCOMES in counts.ts. Final only at the end of the response. */
export const OUTCOME_OK = 0;
export const OUTCOME_FAULT = 1;
export const OUTCOME_CLIENT_ERROR = 2;
export const OUTCOME_CANCELLED = 3;
export type OutcomeIndex = 0 | 1 | 2 | 3;

/** HTTP status to outcome: 5xx is the side's fault, 4xx the client's, but 499 means that the client left. */
export function classifyStatus(status: number): OutcomeIndex {
  if (status >= 500) return OUTCOME_FAULT;
  if (status < 400) return OUTCOME_OK;
  return status === 499 ? OUTCOME_CANCELLED : OUTCOME_CLIENT_ERROR;
}

const GRPC_CANCELLED = 1;
/** UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS: what OpenTelemetry counts as a server's error. */
const GRPC_FAULTS: ReadonlySet<number> = new Set([2, 4, 12, 13, 14, 15]);
const GRPC_LAST = 16;

/**
 * gRPC status to outcome. A response that carried none is a fault, and so is a number that is not one (the client makes UNKNOWN of it).
 * @param status undefined: there was none
 */
export function classifyGrpc(status: number | undefined): OutcomeIndex {
  if (status === 0) return OUTCOME_OK;
  if (status === GRPC_CANCELLED) return OUTCOME_CANCELLED;
  const isKnown = status !== undefined && status > 0 && status <= GRPC_LAST;
  return isKnown && !GRPC_FAULTS.has(status) ? OUTCOME_CLIENT_ERROR : OUTCOME_FAULT;
}
