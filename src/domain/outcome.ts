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
