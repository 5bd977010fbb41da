import type { Control } from '../../control/control.ts';
import type { AdminApp } from '../app.ts';
import { ok, problems } from '../docs.ts';
import { DoctorRequest, Examinations } from '../doctor-schemas.ts';
import { unknownRoute } from '../unknown-route.ts';

export function registerDoctor(app: AdminApp, control: Control): void {
  app.route({
    method: 'POST',
    url: '/v1/doctor',
    config: { needs: 'operator', verb: 'doctor' },
    schema: {
      operationId: 'examine',
      summary: 'Hold both sides of routes against each other before anything is moved',
      description:
        'Connects to endpoints of both sides and sends them sample requests, from where this replica stands.',
      tags: ['routes'],
      body: DoctorRequest,
      response: { ...ok('What was found', Examinations), ...problems(400, 401, 403, 404) },
    },
    handler: async ({ body: { route, path } }) => {
      const routes = await control.examine(route, path);
      if (routes === undefined) throw unknownRoute(control, route as string);
      return { routes };
    },
  });
}
