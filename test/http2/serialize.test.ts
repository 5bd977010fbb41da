import { describe, expect, test } from 'vitest';
import { FlatFields } from '../../src/fields.ts';
import { Http1Fields } from '../../src/http1/fields.ts';
import { Http2Fields } from '../../src/http2/fields.ts';
import { requestBlock, responseBlock, trailersBlock } from '../../src/http2/serialize.ts';

const request = (flat: readonly string[]) => ({
  method: 'GET',
  target: '/x?y',
  authority: 'a.example',
  fields: new FlatFields(flat),
});

describe('messages as blocks', () => {
  test('a request: pseudo-fields first, names in lower case, Host and what belongs to one hop left out', () => {
    const fields = ['Host', 'a.example', 'Connection', 'keep-alive', 'X-A', '1', 'Transfer-Encoding', 'chunked'];
    expect(requestBlock(request(fields), 'http', 'inner:80', ['via', '2 crossfade'], null).flat).toEqual([
      ':method',
      'GET',
      ':scheme',
      'http',
      ':authority',
      'a.example',
      ':path',
      '/x?y',
      'x-a',
      '1',
      'via',
      '2 crossfade',
    ]);
  });

  test('what a client says about forwarding is replaced, and named fields are dropped', () => {
    const fields = ['X-Forwarded-For', '6.6.6.6', 'Forwarded', 'for=6', 'x-secret', 's', 'x-b', '2'];
    const { flat } = requestBlock(request(fields), 'https', 'inner:80', ['x-forwarded-for', '127.0.0.1'], ['x-secret']);
    expect(flat.slice(8)).toEqual(['x-b', '2', 'x-forwarded-for', '127.0.0.1']);
  });

  test.each([
    ['trailers', true],
    ['deflate, trailers', true],
    ['deflate', false],
  ])('te: %s', (te, passes) => {
    const { flat } = requestBlock(request(['TE', te]), 'http', 'inner:80', [], null);
    expect(flat.slice(8)).toEqual(passes ? ['te', 'trailers'] : []);
  });

  test('a response without content has no length', () => {
    const fields = new FlatFields(['content-length', '0', 'date', 'now']);
    expect(responseBlock(204, fields, [], null).flat).toEqual([':status', '204', 'date', 'now']);
    expect(responseBlock(200, fields, [], null).flat).toEqual([':status', '200', 'content-length', '0', 'date', 'now']);
  });

  test('the same fields with the same additions are the same block', () => {
    const extra = ['set-cookie', 'a=b'];
    const fields = new Http2Fields(['x', 'y'], ['x']);
    const block = responseBlock(200, fields, extra, null);
    expect(responseBlock(200, fields, extra, null)).toBe(block);
    expect(responseBlock(200, fields, [...extra], null)).not.toBe(block);
    expect(block.neverIndexed).toEqual(['x']);
    const trailers = trailersBlock(new Http2Fields(['grpc-status', '0'], null));
    expect(trailers.flat).toEqual(['grpc-status', '0']);
  });

  test('an answer of HTTP/1 that repeats itself is the same block, until another head comes', () => {
    const fields = new Http1Fields(10);
    const read = (text: string): void => {
      const bytes = Buffer.from(text, 'latin1');
      expect(fields.scan(bytes, bytes.indexOf('\n') + 1, bytes.length, 0)).toBeNull();
      fields.text = text;
    };
    read('HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\n');
    const block = responseBlock(200, fields, [], null);
    const added = ['set-cookie', 'a=b'];
    const answer = responseBlock(200, fields, added, null);
    expect(answer.flat).toEqual([':status', '200', 'x-a', '1', 'set-cookie', 'a=b']);
    expect(responseBlock(200, fields, added, null)).toBe(answer);
    expect(answer).not.toBe(block);
    read('HTTP/1.1 404 No\r\nX-A: 2\r\n\r\n');
    expect(responseBlock(404, fields, added, null).flat).toEqual([':status', '404', 'x-a', '2', 'set-cookie', 'a=b']);
  });

  test('a request that names no authority depends on the endpoint, whose it gets', () => {
    const parts = { method: 'GET', target: '/', authority: '', fields: new Http2Fields(['x', 'y'], null) };
    const extra: string[] = [];
    expect(requestBlock(parts, 'http', 'one:80', extra, null).flat).toContain('one:80');
    expect(requestBlock(parts, 'http', 'two:80', extra, null).flat).toContain('two:80');
  });
});
