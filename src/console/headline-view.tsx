import { headline } from './headline.ts';
import type { Model } from './model.ts';

const SIGNS = { bad: '✖', warn: '▲', good: '✔' } as const;
/** More would bury the first. */
const SHOWN = 3;

interface HeadlineProps {
  readonly model: Model;
  readonly now: number;
  readonly onSelect: (route: string) => void;
}

export function Headline({ model, now, onSelect }: HeadlineProps) {
  if (model.connection === 'connecting') return <div class="headline" />;
  const lines = headline(model, now);
  return (
    <div class="headline" role="status" aria-label="What matters now">
      {lines.slice(0, SHOWN).map(({ level, text, route }, i) => (
        <p key={i} class={level}>
          <span class="sign" aria-hidden="true">
            {SIGNS[level]}
          </span>
          {route !== undefined && (
            <button type="button" class="link" onClick={() => onSelect(route)}>
              {route}
            </button>
          )}
          <span>{text}</span>
        </p>
      ))}
      {lines.length > SHOWN && <p class="n">and {lines.length - SHOWN} more, on top of the list</p>}
    </div>
  );
}
