import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { readCertificates } from './certificates.ts';
import type { Config } from './config.ts';
import { crossCheck, warnOfSameBackends } from './cross-checks.ts';
import { parseSource, type SourceDocument } from './document.ts';
import { findingsOf } from './issues.ts';
import { type Finding, formatKey, type Problem } from './problem.ts';
import { resolveConfig } from './resolve.ts';
import { ConfigFile } from './schema.ts';
import { findSharedFiles } from './shared-files.ts';

/** A configuration, with what it can be served in spite of; or everything that is wrong with it; both in the order of the file's lines. */
export type LoadResult =
  | { readonly kind: 'ok'; readonly config: Config; readonly warnings: readonly Problem[] }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] };

/**
 * Reads and checks a configuration file and the certificates that it names; changes nothing and never rejects.
 * @param file relative to the working folder; named in problems as given
 * @param env what `${NAME}` stands for
 */
export async function loadConfig(file: string, env: Readonly<Record<string, string | undefined>>): Promise<LoadResult> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const message = `cannot be read: ${(error as Error).message}`;
    return { kind: 'invalid', problems: [{ file, line: 0, column: 0, key: '', message }] };
  }
  const source = parseSource(text, env);
  if (source.kind === 'broken') return invalid(source.errors.map((error) => ({ file, key: '', ...error })));

  const { document } = source;
  const content = ConfigFile.safeParse(document.value);
  const certificates = await readCertificates(document.value, dirname(resolve(file)), Date.now());
  const problems = locateAll(file, document, [
    ...document.findings,
    ...(content.success ? [] : findingsOf(content.error.issues, document)),
    ...crossCheck(document.value),
    ...certificates.findings,
  ]);
  if (!content.success || problems.length > 0) return invalid(problems);
  const config = resolveConfig(content.data, { file: resolve(file), texts: certificates.texts });
  const shared = locateAll(file, document, findSharedFiles(config));
  if (shared.length > 0) return invalid(shared);
  const warnings = inOrder(
    locateAll(file, document, [...certificates.warnings, ...warnOfSameBackends(document.value)]),
  );
  return { kind: 'ok', config, warnings };
}

/** One problem a key: what is said first about it explains the rest. */
function locateAll(file: string, document: SourceDocument, findings: readonly Finding[]): Problem[] {
  const problems = new Map<string, Problem>();
  for (const { path, message } of findings) {
    const key = formatKey(path);
    if (!problems.has(key)) problems.set(key, { file, ...document.locate(path), key, message });
  }
  return [...problems.values()];
}

function invalid(problems: Problem[]): LoadResult {
  return { kind: 'invalid', problems: inOrder(problems) };
}

function inOrder(problems: Problem[]): Problem[] {
  return problems.sort((a, b) => a.line - b.line || a.column - b.column);
}
