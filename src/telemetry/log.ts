import pino, { type Logger } from 'pino';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/**
 * Diagnostics as JSON lines on stderr; stdout is left to what commands print. Lines are written behind the caller's back and flushed at exit.
 * @param env `CROSSFADE_LOG` is the lowest level written, default `info`; an unknown one is reported and taken as `info`
 * @param destination for tests: where lines go instead
 */
export function createLogger(
  env: Readonly<Record<string, string | undefined>>,
  destination: pino.DestinationStream = pino.destination({ dest: 2, sync: false }),
): Logger {
  const wanted = env['CROSSFADE_LOG'] ?? 'info';
  const known = LEVELS.includes(wanted);
  const logger = pino({ level: known ? wanted : 'info', base: { pid: process.pid } }, destination);
  if (!known) logger.warn(`CROSSFADE_LOG is "${wanted}", but must be one of ${LEVELS.join(', ')}; info is used`);
  return logger;
}
