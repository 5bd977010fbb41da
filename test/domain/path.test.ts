import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalisePath } from '../../src/domain/path.ts';

describe('a path is compared', () => {
  test.each([
    ['as it is when nothing is to do', '/a/b-c_d.e~f', '/a/b-c_d.e~f'],
    ['with its escaped letters decoded', '/%61%5A%30%2d%2E%5f%7e', '/aZ0-._~'],
    ['with the escapes that stay in capitals', '/a%c3%bc%2a', '/a%C3%BC%2A'],
    ['with an escaped slash that is none', '/a%2fb', '/a%2Fb'],
    ['decoded once only', '/%2561', '/%2561'],
    ['without a dot segment', '/a/./b', '/a/b'],
    ['without a dot segment at its end', '/a/.', '/a/'],
    ['one level up', '/a/b/../c', '/a/c'],
    ['one level up at its end', '/a/b/..', '/a/'],
    ['never above its root', '/../../a', '/a'],
    ['at its root', '/..', '/'],
    ['with dot segments that were escaped', '/public/%2e%2E/admin', '/admin'],
    ['with half escaped dot segments', '/public/.%2e/admin', '/admin'],
    ['with three dots as a name', '/a/.../b', '/a/.../b'],
    ['with a name that begins with a dot', '/.well-known/x', '/.well-known/x'],
    ['with empty segments kept', '//a///b/', '//a///b/'],
    ['one level up from an empty segment', '/a//../b', '/a/b'],
    ['with a percent sign that escapes nothing', '/100%/%zz/%4', '/100%/%zz/%4'],
  ])('%s', (_name, path, normal) => {
    expect(normalisePath(path)).toBe(normal);
  });
});

const segment = fc.constantFrom(
  '',
  '.',
  '..',
  'a',
  'b.c',
  '%2e',
  '%2E%2e',
  '.%2e',
  '%41',
  '%2f',
  '%c3%a4',
  '%25',
  '...',
);
const path = fc.array(segment, { minLength: 1, maxLength: 8 }).map((segments) => `/${segments.join('/')}`);

test('normalising again changes nothing, and no dot segment is left', () => {
  fc.assert(
    fc.property(path, (written) => {
      const normal = normalisePath(written);
      expect(normalisePath(normal)).toBe(normal);
      expect(normal.startsWith('/')).toBe(true);
      expect(normal.split('/')).not.toContain('.');
      expect(normal.split('/')).not.toContain('..');
    }),
  );
});

test('how unreserved characters are written makes no difference', () => {
  const letters = fc.stringMatching(/^[A-Za-z0-9\-._~]{1,12}$/);
  fc.assert(
    fc.property(letters, fc.func(fc.integer({ min: 0, max: 2 })), (name, how) => {
      const written = Array.from(name, (letter, i) => {
        const hex = letter.charCodeAt(0).toString(16).padStart(2, '0');
        return [letter, `%${hex}`, `%${hex.toUpperCase()}`][how(i)] as string;
      });
      expect(normalisePath(`/x/${written.join('')}/y`)).toBe(normalisePath(`/x/${name}/y`));
    }),
  );
});

test('dot segments are those that the URL standard sees in paths without empty segments', () => {
  const named = fc.array(fc.constantFrom('.', '..', 'a', 'b', 'c.d'), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(named, (segments) => {
      const written = `/${segments.join('/')}`;
      expect(normalisePath(written)).toBe(new URL(`http://h${written}`).pathname);
    }),
  );
});
