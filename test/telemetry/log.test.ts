import { describe, expect, test } from 'vitest';
import { createLogger } from '../../src/telemetry/log.ts';

function written(level: string | undefined): Record<string, unknown>[] {
  const lines: string[] = [];
  const logger = createLogger({ CROSSFADE_LOG: level }, { write: (line: string) => lines.push(line) });
  logger.debug('small');
  logger.info({ route: 'search' }, 'medium');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('the log', () => {
  test('is one JSON object a line, from info on', () => {
    const lines = written(undefined);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: 30, route: 'search', msg: 'medium', pid: process.pid });
  });

  test('takes its level from CROSSFADE_LOG', () => {
    expect(written('debug').map((line) => line['msg'])).toEqual(['small', 'medium']);
    expect(written('error')).toEqual([]);
  });

  test('says so when the level is unknown, and goes on with info', () => {
    expect(written('loud').map((line) => line['msg'])).toEqual([
      expect.stringContaining('CROSSFADE_LOG is "loud", but must be one of trace'),
      'medium',
    ]);
  });
});
