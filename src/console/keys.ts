import { useEffect, useRef } from 'preact/hooks';

/** Keys of the page, while nobody writes and no dialog is open. @param keys by KeyboardEvent.key */
export function useKeys(keys: Readonly<Record<string, () => void>>): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]') !== null) return;
      const { target } = event;
      if (target instanceof HTMLInputElement) {
        if (event.key === 'Escape') target.blur();
        return;
      }
      const act = latest.current[event.key];
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
}
