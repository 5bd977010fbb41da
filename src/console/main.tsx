/** Asks who is there, then shows the screen or where a token is shown. */
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { whenWritten } from './actions.ts';
import { type Caller, getCaller, getHistory, logout, Refusal } from './api.ts';
import { App } from './app.tsx';
import { connect } from './connection.ts';
import { Login } from './login.tsx';
import {
  EMPTY,
  type Happening,
  happeningOf,
  heard,
  type Model,
  withHappenings,
  withRoutes,
  withStats,
  withStatus,
  withWritten,
} from './model.ts';
import { Store } from './store.ts';
import './style.css';

const HISTORY = 50;
const ASK_AGAIN_MS = 1_000;
/** Of `GET /v1/session`: whoever asks has to say who that is. */
const NOBODY: ReadonlySet<number> = new Set([401, 403]);
const store = new Store<Model>(EMPTY);

function change(next: (model: Model, now: number) => Model): void {
  const now = Date.now();
  store.set(next(heard(store.value, now), now));
}

/** @param onNobody whoever asks has to say again who that is */
function listen(onNobody: () => void): () => void {
  return connect({
    status: (status) => change((model, now) => withStatus(model, status, now)),
    routes: (routes) => change((model) => withRoutes(model, routes)),
    stats: (stats) => change((model) => withStats(model, stats)),
    happened: (happening: Happening) => change((model) => withHappenings(model, [happening])),
    // The store may be away: the events that come are shown all the same.
    opened: () => void remember().catch(() => undefined),
    gaveWay: () => store.set({ ...store.value, connection: 'gaveWay' }),
    lost: () => {
      store.set({ ...store.value, connection: 'lost' });
      // A session does not outlive its replica, nor its token: that is no silence, though the stream fails for it alike.
      getCaller().catch((error: unknown) => isNobody(error) && onNobody());
    },
  });
}

// Before the stream has told of it.
whenWritten((routes) => store.set(withWritten(store.value, routes)));

function isNobody(error: unknown): boolean {
  return error instanceof Refusal && NOBODY.has(error.status);
}

async function remember(): Promise<void> {
  const happenings = (await getHistory(HISTORY)).map(happeningOf);
  store.set(withHappenings(store.value, happenings));
}

/** A replica that does not answer has not said that it wants a token. */
function Away() {
  return (
    <main class="login">
      <p role="status">This replica does not answer yet; it is asked again each second</p>
    </main>
  );
}

function Console() {
  const [caller, setCaller] = useState<Caller | null>();
  const [isAway, setAway] = useState(false);
  const forget = (): void => {
    store.set(EMPTY);
    setCaller(null);
  };
  useEffect(() => {
    const ask = (): void => {
      getCaller().then(setCaller, (error: unknown) => {
        if (isNobody(error)) return setCaller(null);
        setAway(true);
        setTimeout(ask, ASK_AGAIN_MS);
      });
    };
    ask();
  }, []);
  useEffect(() => {
    if (caller === null || caller === undefined) return;
    return listen(forget);
  }, [caller]);
  if (caller === undefined) return isAway ? <Away /> : null;
  if (caller === null) return <Login onEnter={setCaller} />;
  return <App store={store} caller={caller} onLeave={() => void logout().finally(forget)} />;
}

render(<Console />, document.getElementById('app') as HTMLElement);
