/** Where a request would go, as it is asked and answered. */

/** Why a request would go where: what `explain` answers. */
export interface ExplainView {
  route: string | null;
  /** Which part of the match decided, in words. */
  match: string;
  key: { source: string; value: string } | null;
  bucket: number | null;
  weight: number | null;
  /** null when no key fixes it: the side is drawn for each request. */
  side: 'old' | 'new' | null;
  backend: string | null;
  sentence: string;
}

export interface ExplainRequest {
  url: string;
  method: string;
  /** Lower-case names. */
  headers: [string, string][];
  address?: string | undefined;
}
