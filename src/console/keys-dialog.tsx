import { useEffect, useRef } from 'preact/hooks';

const KEYS: readonly (readonly [string, string])[] = [
  ['j  k  ↓  ↑', 'next and previous route'],
  ['r', 'roll back the selected route, at once'],
  ['R', 'go to "Roll back all"; Enter does it'],
  ['u', 'undo what the last message says'],
  ['/', 'filter routes'],
  ['Esc', 'close'],
  ['?', 'these keys'],
];

export function KeysDialog({ onClose }: { readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="keys" aria-labelledby="keys-title" onClose={onClose}>
      <h2 id="keys-title">Keys</h2>
      <dl>
        {KEYS.map(([key, effect]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{effect}</dd>
          </div>
        ))}
      </dl>
      <button type="button" class="primary" autoFocus onClick={onClose}>
        Close
      </button>
    </dialog>
  );
}
