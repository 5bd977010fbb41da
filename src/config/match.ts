import { z } from 'zod';
import { normalisePath } from '../domain/path.ts';
import { HostPattern } from './address.ts';
import { FieldName, FieldValue, Token } from './name.ts';

const STANDARD_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']);

/** Methods are case-sensitive (RFC 9110 section 9.1): `get` would be a method that no client sends. */
const Method = Token.refine((method) => STANDARD_METHODS.has(method) || !STANDARD_METHODS.has(method.toUpperCase()), {
  error: 'must be in capitals, as clients send it',
});

/** A path (RFC 3986 section 3.3) in the form that requests' paths are brought to before they are compared. */
const RoutePath = z
  .string()
  .regex(/^\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*$/, {
    error: 'must be a path such as /search/, without query; other characters percent-encoded',
  })
  .refine((path) => normalisePath(path) === path, {
    error: 'must be written as requests are compared: no dot segments, escapes in capitals and only where needed',
  });

const GrpcName = z.string().regex(/^[A-Za-z_][\w.]*$/, { error: 'must be a name from the .proto file' });

const Headers = z.record(FieldName, FieldValue).transform((headers, context) => {
  const lower: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (Object.hasOwn(lower, name.toLowerCase())) {
      context.issues.push({
        code: 'custom',
        message: 'is given twice, but for capitals',
        path: [name],
        input: headers,
      });
    }
    lower[name.toLowerCase()] = value;
  }
  return lower;
});

/** Which requests belong to a route; every part given must hold, `{}` takes all. */
export const Match = z
  .strictObject({
    hosts: z.array(HostPattern).min(1).exactOptional(),
    path: z
      .union([RoutePath, z.strictObject({ exact: RoutePath })], { error: 'must be a path or { exact: path }' })
      .exactOptional(),
    methods: z.array(Method).min(1).exactOptional(),
    headers: Headers.exactOptional(),
    grpc: z.strictObject({ service: GrpcName, method: GrpcName.exactOptional() }).exactOptional(),
  })
  .refine((match) => match.grpc === undefined || match.path === undefined, {
    error: 'must not have both path and grpc: a gRPC service is matched by its path',
  });

export type Match = z.output<typeof Match>;
