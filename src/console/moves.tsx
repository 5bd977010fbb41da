/** What another weight would move, before anybody sends it there. */
import { useEffect, useState } from 'preact/hooks';
import type { PreviewView, RouteView } from '../control/control.ts';
import { getPreview } from './api.ts';
import { weight as inPercent, rate } from './format.ts';

const DEBOUNCE_MS = 80;

/** @param revision what the route is at: of another the answer is another */
export function usePreview(route: string, percent: number, revision: number): PreviewView | undefined {
  const [preview, setPreview] = useState<PreviewView>();
  useEffect(() => {
    if (!(percent >= 0 && percent <= 100)) return;
    let isOver = false;
    const timer = setTimeout(() => {
      getPreview(route, percent).then(
        (answer) => !isOver && setPreview(answer),
        // The dialog works without.
        () => undefined,
      );
    }, DEBOUNCE_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [route, percent, revision]);
  return preview;
}

export function Moves({ route, preview }: { readonly route: RouteView; readonly preview: PreviewView | undefined }) {
  if (preview === undefined) return <p class="moves">Reckoning what moves …</p>;
  const { weight, requestsPerSecond, users, headroom } = preview;
  const { new: fresh, old } = requestsPerSecond;
  const factor = fresh.now > 0 && fresh.after > fresh.now ? ` (×${(fresh.after / fresh.now).toFixed(1)})` : '';
  const { endpoints, connections, inflight } = headroom;
  return (
    <ul class="moves" aria-live="polite">
      <li>
        <b>
          new {inPercent(weight.now)} → {inPercent(weight.after)}
        </b>
      </li>
      <li>
        {route.new.backend}: {rate(fresh.now)} → <b>{rate(fresh.after)} req/s</b>
        {factor}; {route.old.backend}: {rate(old.now)} → {rate(old.after)} req/s
      </li>
      <li>
        {users === null
          ? 'Not sticky: each request is drawn afresh'
          : `${inPercent(users.percent)} of users change sides, told apart by ${users.by.join(', then ')}`}
      </li>
      <li>
        Headroom: {endpoints} {endpoints === 1 ? 'endpoint' : 'endpoints'}, under way {inflight.now} → about{' '}
        {inflight.after}
        {connections > 0 ? ` of ${connections} connections` : ', connections not limited'}
      </li>
    </ul>
  );
}
