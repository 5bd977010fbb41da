/** What an exchange proved about its side. Final only at the end of the stream: gRPC fails in trailers. */
export type OutcomeKind = 'ok' | 'fault' | 'clientError' | 'cancelled';

/** Outcomes as indexes, in the order of OUTCOMES in counts.ts. */
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

/**
 * grpc-status to outcome. Faults are the server errors of OpenTelemetry's gRPC conventions (UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED,
 * INTERNAL, UNAVAILABLE, DATA_LOSS), and a response without a status.
 */
export function classifyGrpcStatus(grpcStatus: number | undefined): OutcomeIndex {
  switch (grpcStatus) {
    case 0:
      return OUTCOME_OK;
    case 1:
      return OUTCOME_CANCELLED;
    case undefined:
    case 2:
    case 4:
    case 12:
    case 13:
    case 14:
    case 15:
      return OUTCOME_FAULT;
    default:
      return OUTCOME_CLIENT_ERROR;
  }
}
