/** Where a token is shown. It is sent once, and kept by nobody but the server. */
import { useState } from 'preact/hooks';
import { type Caller, login } from './api.ts';

export function Login({ onEnter }: { readonly onEnter: (caller: Caller) => void }) {
  const [token, setToken] = useState('');
  const [fault, setFault] = useState('');
  const enter = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      onEnter(await login(token));
    } catch (error) {
      setFault((error as Error).message);
    }
  };
  return (
    <main class="login">
      <form onSubmit={(event) => void enter(event)}>
        <h1>
          <img src="/icon.svg" alt="" width="28" height="28" /> Crossfade
        </h1>
        <label>
          Token
          <input
            type="password"
            autoComplete="current-password"
            autoFocus
            required
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary">
          Enter
        </button>
        <p role="alert" class="fault">
          {fault}
        </p>
      </form>
    </main>
  );
}
