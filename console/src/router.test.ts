import { expect, it } from 'vitest';
import { addressOf, parseRoute } from './router';

it.each([
  [['apps'], {}],
  [['apps', 'genomics reads'], { from: 'a/b?c' }],
  [['runs', 'a/b'], { tab: 'log', state: 'failed' }],
])('the address of %j is read back', (path, query) => {
  const route = parseRoute(addressOf(path, query));
  expect(route.path).toEqual(path);
  expect(Object.fromEntries(route.query)).toEqual(query);
});

it('reads addresses that nobody made', () => {
  expect(parseRoute('').path).toEqual([]);
  expect(parseRoute('#/runs/%zz').path).toEqual(['runs', '%zz']);
  expect(parseRoute('#login').path).toEqual(['login']);
});
