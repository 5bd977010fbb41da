/** What the schema says, in words for whoever wrote the file. */
import { didYouMean } from '../domain/did-you-mean.ts';
import type { SourceDocument } from './document.ts';
import type { Finding, KeyPath } from './problem.ts';
import { list, mapping } from './raw.ts';
import { describeSchema } from './schema.ts';
import { type Issue, wording } from './wording.ts';

const FORMAT = describeSchema();

/** What YAML takes for something else than text. */
const UNQUOTED = /^(?:[\d.+-]|true$|false$)/;

/** Values under these keys are not repeated in messages, which end up in logs. */
const SECRETS = new Set(['secret', 'sha256', 'store', 'url']);

export function findingsOf(issues: readonly Issue[], document: SourceDocument, at: KeyPath = []): Finding[] {
  // A misspelt key comes before the one that is missing for it.
  const ordered = issues.toSorted((a, b) => Number(isUnknownKey(b)) - Number(isUnknownKey(a)));
  return ordered.flatMap((issue): Finding[] => {
    const path = [...at, ...(issue.path as (string | number)[])];
    if (issue.code === 'unrecognized_keys') {
      const known = keysAt(path);
      return issue.keys.map((key) => ({ path: [...path, key], message: `unknown key${didYouMean(key, known)}` }));
    }
    // What a mapping lacks is not worth saying while one of its keys is misspelt.
    if (issue.code === 'custom' && issues.some((other) => isUnknownKey(other) && isSamePath(other, issue))) return [];
    if (issue.code === 'invalid_key')
      return [{ path, message: `the name ${issue.issues[0]?.message ?? 'is not valid'}` }];
    if (issue.code === 'invalid_union') {
      const meant = issue.errors.find((branch) => !branch.some(isOfAnotherForm));
      if (meant !== undefined) return findingsOf(meant, document, path);
    }
    const written = document.written(path);
    if (written === undefined) return [{ path, message: 'is required' }];
    const message = worded(issue, written);
    return [{ path, message: SECRETS.has(String(path.at(-1))) ? message : `${message} (got ${written})` }];
  });
}

function isUnknownKey(issue: Issue): boolean {
  return issue.code === 'unrecognized_keys';
}

function isSamePath(a: Issue, b: Issue): boolean {
  return a.path.length === b.path.length && a.path.every((step, i) => step === b.path[i]);
}

/** Whether a branch of a union was not the one meant. */
function isOfAnotherForm(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}

function worded(issue: Issue, written: string): string {
  const isQuotable = issue.code === 'invalid_type' && issue.expected === 'string' && UNQUOTED.test(written);
  return isQuotable ? `${wording(issue)} in quotes` : wording(issue);
}

/** The keys that the schema has for the mapping at this path. */
function keysAt(path: KeyPath): string[] {
  let schemas = branches(FORMAT);
  for (const step of path) {
    schemas = schemas
      .map((schema) =>
        typeof step === 'number' ? schema.items : (mapping(schema.properties)[step] ?? schema.additionalProperties),
      )
      .flatMap(branches);
  }
  return schemas.flatMap((schema) => Object.keys(mapping(schema.properties)));
}

function branches(schema: unknown): Readonly<Record<string, unknown>>[] {
  const { anyOf } = mapping(schema);
  return anyOf === undefined ? [mapping(schema)] : list(anyOf).flatMap(branches);
}
