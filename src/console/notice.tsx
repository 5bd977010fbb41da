/** What became of the last action. */
import { useEffect } from 'preact/hooks';
import { doUndo, notice } from './actions.ts';
import { useStore } from './store.ts';

const SIGNS = { good: '✔', bad: '✖', busy: '…' } as const;
/** Good news goes by itself; bad news stays until it is closed. */
const SHOWN_MS = 12_000;

export function Notice({ canAct }: { readonly canAct: boolean }) {
  const now = useStore(notice);
  useEffect(() => {
    if (now?.level !== 'good') return;
    const timer = setTimeout(() => notice.set(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [now]);
  return (
    <div class="notices" role="alert">
      {now !== null && (
        <p class={`notice ${now.level}`}>
          <span aria-hidden="true">{SIGNS[now.level]}</span> <span>{now.text}</span>
          {canAct && now.undo !== undefined && (
            <button type="button" class="quiet" onClick={() => void doUndo(now.undo as number)}>
              Undo
            </button>
          )}
          {now.level !== 'busy' && (
            <button type="button" class="quiet" aria-label="Dismiss" onClick={() => notice.set(null)}>
              ✕
            </button>
          )}
        </p>
      )}
    </div>
  );
}
