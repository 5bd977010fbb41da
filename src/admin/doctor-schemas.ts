/** Shapes of `POST /v1/doctor`. */
import { z } from 'zod';
import type { RouteExamination } from '../domain/doctor.ts';

export const DoctorRequest = z.strictObject({
  route: z.string().max(200).optional().describe('Default: all routes.'),
  path: z
    .string()
    .max(2_000)
    .regex(/^\/[\x21-\x7e]*$/, { error: 'must begin with / and have no blanks' })
    .optional()
    .describe('Of the sample request, with its query. Default: what the route matches.'),
});

const Examined = z.object({
  backend: z.string(),
  endpoints: z.int(),
  alarm: z.string().nullable().describe('What is wrong with the source of the endpoints.'),
  tried: z.int().describe('How many endpoints were connected to.'),
  unreachable: z.array(z.string()).describe('Those that took no connection, and why.'),
  configured: z.enum(['http1', 'h2', 'auto']).describe('What the proxy speaks to it.'),
  protocols: z.array(z.string()).describe('What it was found to speak: http1, h2'),
  tls: z.object({ refused: z.string().nullable(), expiresAt: z.number().nullable() }).nullable(),
  sample: z
    .object({
      status: z.int(),
      fields: z.array(z.string()).describe("Names of the response's fields."),
      contentType: z.string().nullable(),
      latencyMs: z.number().describe('Median, without connecting.'),
      grpcStatus: z.int().exactOptional().describe('Of a gRPC call; -1: there was none.'),
    })
    .nullable(),
  noSample: z.string().nullable(),
});

export const Examinations = z
  .object({
    routes: z.array(
      z.object({
        route: z.string(),
        request: z.string().describe('The sample request.'),
        old: Examined,
        new: Examined,
        findings: z.array(
          z.object({
            severity: z.enum(['breaks', 'differs']).describe('breaks: requests that are moved would fail.'),
            text: z.string(),
          }),
        ),
      }),
    ),
  })
  .meta({ id: 'Examinations' }) satisfies z.ZodType<{ routes: RouteExamination[] }>;
