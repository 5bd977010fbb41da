import type { createLogger } from '../telemetry/log.ts';
import type { ControlEvent } from './control.ts';

/** Events as lines of the log. */
export function logEvent(logger: ReturnType<typeof createLogger>, event: ControlEvent): void {
  switch (event.type) {
    case 'change': {
      const { verb, actor, reason, revision, routes } = event.entry;
      logger.info({ revision, verb, actor, reason, routes: routes.map(({ route }) => route).slice(0, 10) }, 'change');
      return;
    }
    case 'store':
      if (event.up) {
        logger.info(event.settled ? 'the dispute about what the store holds has ended' : 'the store answers');
      } else if (event.disputed) {
        logger.error(`the store contradicts what is served, which is served on until somebody adopts: ${event.reason}`);
      } else logger.error(`the store does not answer, what is known of it is served: ${event.reason}`);
      return;
    case 'atRisk':
      logger.warn(event.reason);
      return;
    case 'worker': {
      const isBad = event.what === 'shedding' || (event.what === 'exited' && event.detail !== null);
      const level = isBad ? 'warn' : 'info';
      const detail = event.detail === null ? '' : `: ${event.detail}`;
      logger[level]({ worker: event.pid }, `worker ${event.what}${detail}`);
      return;
    }
    case 'refused': {
      const { actor, verb, route, code, reason, omitted } = event;
      logger.warn({ actor, verb, route, code, omitted }, `refused: ${reason}`);
      return;
    }
    case 'discovery': {
      const { backend, ok, reason, endpoints } = event;
      if (ok) logger.info({ backend, endpoints }, 'discovery answers');
      else logger.error({ backend, endpoints }, `discovery: ${reason}`);
      return;
    }
    case 'endpoint': {
      const { backend, endpoint, state, reason } = event;
      if (state === 'healthy') logger.info({ backend, endpoint }, 'endpoint healthy');
      else logger.warn({ backend, endpoint }, `endpoint ${state}: ${reason}`);
      return;
    }
    case 'backend': {
      const { backend, ok, reason } = event;
      if (ok) logger.info({ backend }, 'the backend has a healthy endpoint again');
      else logger.error({ backend }, `the backend cannot take traffic: ${reason}`);
      return;
    }
    case 'pinned': {
      const { actor, reason, routes, pinned } = event;
      const what = pinned
        ? 'rolled back on this replica alone, until the store can be written'
        : 'the rollback of this replica is written';
      logger.warn({ actor, reason, routes: routes.slice(0, 10) }, what);
      return;
    }
    case 'verdict': {
      const { route, verdict, value, threshold, reason } = event;
      logger[verdict === 'breach' ? 'warn' : 'info']({ route, verdict, value, threshold }, `the new side: ${reason}`);
      return;
    }
    case 'webhook':
      logger.warn({ url: event.url }, `a webhook was given up: ${event.detail}`);
      return;
    case 'config':
      if (event.ok) logger.info(`configuration in use: ${event.detail}`);
      else for (const line of event.detail.split('\n')) logger.error(`configuration refused: ${line}`);
  }
}
