import { AdminProblem, invalid } from './problem.ts';

/** The strong validator of a route's revision (RFC 9110 section 8.8.3). */
export function etagOf(revision: number): string {
  return `"${revision}"`;
}

const TAG = String.raw`(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"`;
const TAGS = new RegExp(`^${TAG}(?:[ \\t]*,[ \\t]*${TAG})*$`);

/**
 * The revision that If-Match asks for (RFC 9110 section 13.1.1); undefined when it was not sent. `*` takes whatever is there. Of a list the
 * one that is there counts. Weak tags never match.
 * @param current the route's revision as this replica knows it; the store decides in the end
 * @throws AdminProblem when it is no list of entity tags, or none of them can be a revision
 */
export function expectedRevision(ifMatch: string | undefined, current: number): number | undefined {
  if (ifMatch === undefined) return undefined;
  const text = ifMatch.trim();
  if (text === '*') return current;
  if (!TAGS.test(text)) {
    throw invalid([{ field: 'If-Match', message: `must be the route's ETag, such as ${etagOf(current)}` }]);
  }
  const revisions = [...text.matchAll(/(?<!W\/)"(\d{1,15})"/g)].map((match) => Number(match[1]));
  if (revisions.includes(current)) return current;
  const first = revisions[0];
  if (first === undefined)
    throw new AdminProblem('stale', `If-Match is ${text}, but the route is at ${etagOf(current)}`);
  return first;
}
