import { describe, expect, test } from 'vitest';
import { FlatFields } from '../../src/fields.ts';
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
});
