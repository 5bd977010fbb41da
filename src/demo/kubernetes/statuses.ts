/** What an API server answers where something is wrong: Status objects, with the words of a real one. */

export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Record<string, never>;
  readonly status: 'Failure';
  readonly message: string;
  readonly reason?: string;
  readonly details?: unknown;
  readonly code: number;
}

function failure(code: number, message: string, reason?: string, details?: unknown): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    ...(reason === undefined ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code,
  };
}

export const unauthorized = (): Status => failure(401, 'Unauthorized', 'Unauthorized');

export const forbidden = (verb: string, namespace: string): Status =>
  failure(
    403,
    `endpointslices.discovery.k8s.io is forbidden: User "system:serviceaccount:default:default" cannot ${verb} resource "endpointslices" in API group "discovery.k8s.io" in the namespace "${namespace}"`,
    'Forbidden',
    { group: 'discovery.k8s.io', kind: 'endpointslices' },
  );

export const notFound = (): Status => failure(404, 'the server could not find the requested resource', 'NotFound', {});

export const tooOld = (version: number, oldest: number): Status =>
  failure(410, `too old resource version: ${version} (${oldest})`, 'Expired');

export const tokenExpired = (): Status =>
  failure(
    410,
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
    'Expired',
  );

export const tooLarge = (version: number, current: number): Status =>
  failure(504, `Too large resource version: ${version}, current: ${current}`, 'Timeout', {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });

export const failed = (code: number): Status =>
  code === 429
    ? failure(429, 'Too many requests, please try again later.', 'TooManyRequests', { retryAfterSeconds: 1 })
    : failure(code, 'an error on the server has prevented the request from succeeding', 'InternalError');
