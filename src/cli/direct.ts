/** A rollback without the store: every replica is asked for it by itself, and holds it until the store has it. */
import type { Route, Routes, Status } from './api.ts';
import type { Call, Client } from './client.ts';
import { type Context, routePath, writeCall } from './context.ts';
import { CliError, EXIT } from './exit.ts';
import { percent, plain, table } from './text.ts';

interface Outcome {
  readonly admin: string;
  /** What it serves now; undefined: it refused, or was not reached. */
  readonly routes?: readonly Route[];
  readonly failure?: CliError;
}

/**
 * @param name undefined: all routes
 * @param admins default: the one admin API that every command talks to
 */
export async function rollBackDirectly(
  context: Context,
  name: string | undefined,
  admins: readonly string[] | undefined,
): Promise<void> {
  const write = writeCall(context, 'POST', 'rollback', { direct: true });
  const clients = admins?.map((admin) => [admin, context.client(admin)] as const) ?? [['', context.client()] as const];
  // At once: one that does not answer must not hold up the others.
  const outcomes = await Promise.all(clients.map(([admin, call]) => ask(admin, call, name, write)));
  context.print(outcomes.map(answerOf), () => outcomes.flatMap(linesOf));
  for (const { admin, failure } of outcomes) {
    if (failure !== undefined)
      context.io.err(plain(`crossfade: ${admin === '' ? '' : `${admin}: `}${failure.message}`));
  }
  const [first] = clients;
  if (admins === undefined && outcomes[0]?.failure === undefined && first !== undefined) {
    await warnOfOthers(context, first[1]);
  }
  const failures = outcomes.flatMap(({ failure }) => failure ?? []);
  const worst = failures.find(({ exit }) => exit === EXIT.unreachable) ?? failures[0];
  context.exit(worst?.exit ?? EXIT.done);
}

async function ask(admin: string, call: Client, name: string | undefined, write: Call): Promise<Outcome> {
  try {
    const unconditional = { ...write, ifRevision: undefined };
    if (name !== undefined) return { admin, routes: [await call<Route>(`${routePath(name)}/rollback`, unconditional)] };
    return { admin, routes: (await call<Routes>('/v1/rollback', unconditional)).routes };
  } catch (error) {
    if (error instanceof CliError) return { admin, failure: error };
    throw error;
  }
}

function answerOf({ admin, routes, failure }: Outcome): object {
  return failure === undefined ? { admin, ok: true, routes } : { admin, ok: false, error: failure.message };
}

function linesOf({ admin, routes = [] }: Outcome): string[] {
  const rows = routes.map((route) => [route.name, `${percent(route.weight)} new`, route.state, route.reason]);
  const lines = table(rows);
  return admin === '' ? lines : lines.map((line) => `${plain(admin)}  ${line}`);
}

/** The other replicas are named, not asked: a token goes to no address but those that were typed. */
async function warnOfOthers(context: Context, call: Client): Promise<void> {
  const { replicas } = await call<Status>('/v1/status');
  const others = replicas.slice(1).map(({ id, address }) => (address === null ? id : `http://${address}`));
  if (others.length === 0) return;
  context.io.err(plain(`crossfade: this replica alone was asked; name the others with --admins: ${others.join(',')}`));
}
