/** What a schema finds wrong with a value, in words for whoever wrote it. */
import type { z } from 'zod';

export type Issue = z.core.$ZodIssue;

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

/** The schema's own words go before these. @param names of kinds that are called otherwise here than in YAML */
export function wording(issue: Issue, names: Readonly<Record<string, string>> = {}): string {
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')) {
    return `must be ${names[issue.expected] ?? KINDS[issue.expected] ?? issue.expected}`;
  }
  if (issue.code === 'invalid_value') return `must be ${issue.values.join(' or ')}`;
  if (issue.code === 'too_small' && issue.message.startsWith('Too small')) {
    return bound(issue.origin, issue.inclusive === true ? 'at least' : 'more than', issue.minimum);
  }
  if (issue.code === 'too_big' && issue.message.startsWith('Too big')) {
    return bound(issue.origin, issue.inclusive === true ? 'at most' : 'less than', issue.maximum);
  }
  return issue.message;
}

function bound(origin: string, most: string, limit: number | bigint): string {
  if (origin === 'array') return `must have ${most} ${limit} ${limit === 1 ? 'entry' : 'entries'}`;
  if (origin === 'string') return 'must not be empty';
  return `must be ${most} ${limit}`;
}
