/** Dark or light: as the system says, until somebody chooses. */
import { useState } from 'preact/hooks';

const KEY = 'crossfade-theme';
type Theme = 'dark' | 'light';

function chosen(): Theme {
  const stored = localStorage.getItem(KEY);
  if (stored === 'dark' || stored === 'light') return stored;
  return matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
}

/** For the whole page, also before anybody has entered. */
function show(theme: Theme): void {
  document.documentElement.dataset['theme'] = theme;
}
show(chosen());

export function ThemeButton() {
  const [theme, setTheme] = useState(chosen);
  const other = theme === 'dark' ? 'light' : 'dark';
  return (
    <button
      type="button"
      class="quiet"
      aria-label={`Switch to ${other}`}
      title={`Switch to ${other}`}
      onClick={() => {
        localStorage.setItem(KEY, other);
        setTheme(other);
        show(other);
        // Charts take their colours from the page, which has to have them by then.
        document.dispatchEvent(new CustomEvent('crossfade-theme'));
      }}
    >
      {theme === 'dark' ? '☀' : '☾'}
    </button>
  );
}
