import { CliError, EXIT } from './exit.ts';

interface Answer {
  readonly status?: string;
  readonly error?: string;
  readonly data?: { readonly result?: readonly { readonly value?: readonly [number, string] }[] };
}

/** The value of an instant query; null: there is no such series. @throws CliError when Prometheus does not answer it */
export async function queryPrometheus(base: string, query: string): Promise<number | null> {
  const url = `${base.replace(/\/$/, '')}/api/v1/query?${new URLSearchParams({ query }).toString()}`;
  let answer: Answer;
  try {
    answer = (await (await fetch(url, { signal: AbortSignal.timeout(30_000) })).json()) as Answer;
  } catch (error) {
    throw new CliError(EXIT.unreachable, `Prometheus at ${base} does not answer: ${(error as Error).message}`);
  }
  if (answer.status !== 'success') {
    throw new CliError(
      EXIT.internal,
      `Prometheus at ${base} refused the query ${query}: ${answer.error ?? 'no reason given'}`,
    );
  }
  const value = answer.data?.result?.[0]?.value?.[1];
  return value === undefined ? null : Number(value);
}
