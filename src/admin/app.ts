import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';

/** Instance whose routes are typed by their schemas. */
export type AdminApp = ReturnType<typeof typedApp>;

export function typedApp(app: FastifyInstance) {
  return app.withTypeProvider<ZodTypeProvider>();
}
