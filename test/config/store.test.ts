import { describe, expect, test } from 'vitest';
import { placeOfStore, StoreAddress } from '../../src/config/store.ts';

const at = (host: string, port: number) => ({ host, port });
const REDIS = { kind: 'redis', topology: 'single', database: 0, tls: false, acks: 0 };

describe('store addresses', () => {
  test.each([
    ['file:../data/state.json', { kind: 'file', path: '../data/state.json' }],
    ['redis://h:6380/3', { ...REDIS, nodes: [at('h', 6380)], database: 3 }],
    ['redis://h', { ...REDIS, nodes: [at('h', 6379)] }],
    ['redis://[::1]:7000', { ...REDIS, nodes: [at('::1', 7000)] }],
    ['redis://ann:s%40fe%2F@h', { ...REDIS, nodes: [at('h', 6379)], username: 'ann', password: 's@fe/' }],
    ['redis://:safe@h/0', { ...REDIS, nodes: [at('h', 6379)], password: 'safe' }],
    ['redis://h?acks=2', { ...REDIS, nodes: [at('h', 6379)], acks: 2 }],
    ['rediss://h:6380/0?ca=ca.pem', { ...REDIS, kind: 'rediss', nodes: [at('h', 6380)], tls: true, ca: 'ca.pem' }],
    [
      'redis+sentinel://ann:safe@s1,s2:26400/main?db=2&tls=true',
      {
        kind: 'redis+sentinel',
        topology: 'sentinel',
        acks: 1,
        nodes: [at('s1', 26_379), at('s2', 26_400)],
        primary: 'main',
        database: 2,
        tls: true,
        username: 'ann',
        password: 'safe',
      },
    ],
    [
      'redis+cluster://c1,c2:7001',
      { ...REDIS, kind: 'redis+cluster', topology: 'cluster', acks: 1, nodes: [at('c1', 6379), at('c2', 7001)] },
    ],
  ])('%s', (text, expected) => {
    expect(StoreAddress.parse(text)).toEqual(expected);
  });

  test.each([
    ['redis://', 'must be file:PATH'],
    ['redis:h', 'must be file:PATH'],
    ['mysql://h', 'must be file:PATH'],
    ['redis://h:0', 'number 1 is not'],
    ['redis://a,b', 'must name one host'],
    ['redis://h/zero', 'a number for its database'],
    ['redis+sentinel://h', "the primary's name"],
    ['redis+cluster://h/1', 'must not name a database'],
    ['redis://h?tsl=true', 'not tsl'],
    ['redis://h?tls=maybe', 'true or false'],
    ['redis://h?ca=x', 'TLS for which it is'],
    ['redis://:%zz@h', 'percent-encoded'],
  ])('%s is refused, and not repeated', (text, says) => {
    const { error } = StoreAddress.safeParse(text);
    expect(error?.issues.map(({ message }) => message).join()).toContain(says);
  });

  test('its name in messages has no password', () => {
    for (const text of ['redis://ann:hunter2@h/1', 'redis+sentinel://:hunter2@s1,[::1]/main', 'file:a']) {
      const place = placeOfStore(StoreAddress.parse(text));
      expect(place).not.toMatch(/hunter2|ann/);
    }
    expect(placeOfStore(StoreAddress.parse('redis+sentinel://:x@s1,[::1]/main'))).toBe(
      'redis+sentinel://s1:26379,[::1]:26379/main',
    );
  });
});
