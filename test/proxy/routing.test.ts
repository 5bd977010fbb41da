/** The route of a head is found once for as long as the same head comes again: nobody may be able to tell. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileMatcher } from '../../src/domain/match.ts';
import type { RouteMatch } from '../../src/domain/route.ts';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import { RequestHead } from '../../src/http1/request.ts';
import { routeOf } from '../../src/proxy/routing.ts';

const LIMITS = { headBytes: 16_384, fields: 100, targetBytes: 8_192 };

/** Tables in which the same request goes elsewhere. */
const TABLES = (
  [
    [{ path: '/a/' }, { path: '/' }],
    [{ path: '/' }, { path: '/a/' }],
    [{ path: '/a/', methods: ['PUT'] }],
  ] satisfies RouteMatch[][]
).map((matches) => ({ matcher: compileMatcher(matches) }) as unknown as Snapshot);

const HEADS = ['GET /a/b', 'PUT /a/b', 'GET /b', 'GET /a/../b'].map((line) =>
  Buffer.from(`${line} HTTP/1.1\r\nHost: h\r\n\r\n`),
);

function parsed(head: RequestHead, bytes: Buffer): RequestHead {
  expect(head.parse(bytes, 0, bytes.length)).toBeNull();
  return head;
}

test('requests on one connection, while the table changes, go where each would alone', () => {
  const step = fc.record({ head: fc.option(fc.nat(HEADS.length - 1)), table: fc.nat(TABLES.length - 1) });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
      const connection = new RequestHead(LIMITS);
      let bytes = HEADS[0] as Buffer;
      parsed(connection, bytes);
      for (const { head, table } of steps) {
        // Null: the same comes again.
        if (head !== null) {
          bytes = HEADS[head] as Buffer;
          parsed(connection, bytes);
        }
        const snapshot = TABLES[table] as Snapshot;
        expect(routeOf(snapshot, connection)).toBe(routeOf(snapshot, parsed(new RequestHead(LIMITS), bytes)));
      }
    }),
  );
});
