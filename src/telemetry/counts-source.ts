/** What the metrics are read from at scrape. Every part is asked anew each time, so none may be costly. */

/**
 * Why a route was rolled back, as a label. `manual`: somebody asked for it. The others are the judge's: it compared both sides, found one
 * above the absolute ceiling, or one that takes no connections.
 */
export const ROLLBACK_REASONS = ['manual', 'comparison', 'ceiling', 'deadSide'] as const;
export type RollbackReason = (typeof ROLLBACK_REASONS)[number];

export interface CountsSource {
  /** Names of the present table's routes, in its order. A new table comes with a new array. */
  readonly routes: readonly string[];
  /** Sums over all workers, `cellCount(routes.length)` of them, in the layout of domain/counts.ts. */
  readonly cells: Float64Array;
  /** By route, parts per million. */
  weightsPpm(): ArrayLike<number>;
  /** By route: evidence against the new side in the running test, log10; 0 when nothing is judged. */
  evidenceLog10(): ArrayLike<number>;
  /** Open client connections now. */
  connections(): readonly { readonly listener: string; readonly protocol: string; readonly value: number }[];
  endpoints(): readonly { readonly backend: string; readonly state: string; readonly value: number }[];
  /** By backend: whether its source answers well, and since when nothing was confirmed; null: never yet. */
  discoveries(): readonly { readonly backend: string; readonly up: boolean; readonly ageSeconds: number | null }[];
  storeUp(): boolean;
  /** Revision of the state that this replica serves. */
  revision(): number;
  /** Since the store last confirmed the state. */
  stateAgeSeconds(): number;
  /** Since the supervisor started; combinations left out are 0. */
  rollbacks(): readonly { readonly route: string; readonly reason: RollbackReason; readonly value: number }[];
  readonly build: { readonly version: string; readonly node: string };
}
