import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FakeControl } from './fake-control.ts';
import { type Admin, startAdmin } from './harness.ts';

interface Operation {
  operationId?: string;
  summary?: string;
  parameters?: { in: string; name: string; required?: boolean; schema?: object }[];
  requestBody?: { content: Record<string, { schema?: object }> };
  responses: Record<string, { description?: string; content?: Record<string, { schema?: object }> }>;
}

interface Document {
  openapi: string;
  info: { title: string; version: string };
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation & { tags: string[] }>>;
  components: { schemas: Record<string, object> };
}

let admin: Admin;
let document: Document;
let operations: { path: string; method: string; operation: Document['paths'][string][string] }[];

beforeAll(async () => {
  admin = await startAdmin(new FakeControl('search'));
  document = (await admin.send('GET', '/docs/json')).json() as Document;
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
});
afterAll(() => admin.close());

describe('the OpenAPI document', () => {
  test('is 3.1 and names every call', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(document.info).toMatchObject({ title: 'Crossfade admin API', version: '0.1.0' });
    expect(operations.map(({ method, path }) => `${method} ${path}`).sort()).toEqual([
      'delete /v1/session',
      'get /healthz',
      'get /metrics',
      'get /readyz',
      'get /v1/events',
      'get /v1/explain',
      'get /v1/history',
      'get /v1/live',
      'get /v1/routes',
      'get /v1/routes/{route}',
      'get /v1/routes/{route}/preview',
      'get /v1/series',
      'get /v1/session',
      'get /v1/status',
      'post /v1/adopt',
      'post /v1/doctor',
      'post /v1/rollback',
      'post /v1/routes/{route}/freeze',
      'post /v1/routes/{route}/pause',
      'post /v1/routes/{route}/promote',
      'post /v1/routes/{route}/ramp',
      'post /v1/routes/{route}/resume',
      'post /v1/routes/{route}/rollback',
      'post /v1/routes/{route}/step',
      'post /v1/routes/{route}/unfreeze',
      'post /v1/session',
      'post /v1/undo',
      'put /v1/routes/{route}/weight',
    ]);
  });

  test('every operation has its own id, a summary, a known tag and described responses', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(operations.length);
    const tags = new Set(document.tags.map(({ name }) => name));
    for (const { operation } of operations) {
      expect(operation.operationId).toMatch(/^[a-z][A-Za-z]+$/);
      expect(operation.summary).toMatch(/\w/);
      expect(operation.tags.every((tag) => tags.has(tag))).toBe(true);
      expect(Object.keys(operation.responses)).toContain('200');
      for (const [status, response] of Object.entries(operation.responses)) {
        expect(status).toMatch(/^[1-5]\d\d$/);
        expect(response.description).toMatch(/^(?!Default Response)\w/);
        for (const { schema } of Object.values(response.content ?? {})) expect(schema).toBeTypeOf('object');
        if (status !== '200') expect(Object.keys(response.content ?? {})).toEqual(['application/problem+json']);
      }
    }
  });

  test('parameters stand in their path, once, and bodies have a shape', () => {
    for (const { path, method, operation } of operations) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const parameters = operation.parameters ?? [];
      expect(parameters.filter((p) => p.in === 'path').map((p) => p.name)).toEqual(inPath);
      expect(parameters.filter((p) => p.in === 'path').every((p) => p.required === true)).toBe(true);
      expect(new Set(parameters.map((p) => `${p.in} ${p.name}`)).size).toBe(parameters.length);
      const takesBody = method === 'put' || method === 'post';
      expect(operation.requestBody?.content['application/json']?.schema !== undefined).toBe(takesBody);
    }
  });

  test('every reference leads somewhere, and every shape is referred to', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] as string);
    const names = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`);
    expect([...new Set(references)].sort()).toEqual(names.sort());
  });

  test('says nothing that 3.1 does not know', () => {
    const text = JSON.stringify(document);
    expect(text).not.toContain('"nullable"');
    expect(text).not.toContain('PLACEHOLDER');
  });

  test('examples are what the API takes and answers', async () => {
    const { Write, Undo, Route } = Object.fromEntries(
      Object.entries(document.components.schemas).map(([name, schema]) => [name.replace(/Input$/, ''), schema]),
    ) as Record<string, { examples: object[]; properties: object }>;
    expect((await admin.send('POST', '/v1/rollback', { body: Write?.examples[0] })).status).toBe(200);
    expect((await admin.send('POST', '/v1/undo', { body: Undo?.examples[0] })).status).toBe(404);
    const route = (await admin.send('GET', '/v1/routes/search')).json() as object;
    expect(Object.keys(Route?.examples[0] ?? {}).sort()).toEqual(Object.keys(route).sort());
    expect(Object.keys(Route?.properties ?? {}).sort()).toEqual(Object.keys(route).sort());
  });
});

test('there is a page to read it, which loads nothing from elsewhere', async () => {
  const page = await admin.send('GET', '/docs');
  expect(page.status).toBe(200);
  expect(page.headers['content-type']).toMatch(/^text\/html/);
  expect(page.headers['content-security-policy']).toMatch(/^default-src 'self'/);
  const sources = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] as string);
  expect(sources.length).toBeGreaterThan(2);
  for (const source of sources) {
    expect(source).toMatch(/^\//);
    expect((await admin.send('GET', source)).status).toBe(200);
  }
});
