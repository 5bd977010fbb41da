import { Argument, type Command } from 'commander';
import type { RouteList } from '../api.ts';
import { createClient } from '../client.ts';
import { type Candidate, complete, matching, valueOf, wordsOf } from '../completion.ts';
import { SCRIPTS, type Shell } from '../completion-scripts.ts';
import { ADMIN, type Context } from '../context.ts';
import { examples } from '../examples.ts';
import { CliError } from '../exit.ts';
import { percent, plain } from '../text.ts';

/** Somebody waits with a finger on the tab key. */
const ANSWER_MS = 500;

/** `completion`, which prints a shell's script, and the hidden command that the script asks. */
export function addCompletion(program: Command, context: Context): void {
  program
    .command('completion')
    .description('print a script that completes commands, flags and the names of live routes')
    .addArgument(new Argument('<shell>').choices(Object.keys(SCRIPTS)))
    .addHelpText(
      'after',
      examples(
        [
          'crossfade completion bash > /etc/bash_completion.d/crossfade',
          'or in ~/.bashrc: source <(crossfade completion bash)',
        ],
        ['crossfade completion zsh > "${fpath[1]}/_crossfade"'],
        ['crossfade completion fish > ~/.config/fish/completions/crossfade.fish'],
      ),
    )
    .action((shell: Shell) => context.io.out(SCRIPTS[shell]));
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .option('--line <text>', 'the whole line up to the cursor, instead of its words')
    .action(async (given: readonly string[], { line }: { line?: string }) => {
      const words = line === undefined ? given : wordsOf(line).slice(1);
      const completion = complete(program, words);
      if (completion.source === 'files') return context.io.out(':files');
      const all = completion.source === 'routes' ? await liveRoutes(context, words) : completion.source;
      for (const { text, what } of matching(all, completion)) context.io.out(what === '' ? text : `${text}\t${what}`);
    });
}

/** None when the admin API does not answer in time: a tab key is no place for an error. */
async function liveRoutes({ io }: Context, words: readonly string[]): Promise<Candidate[]> {
  const admin = valueOf(words, '--admin') ?? io.env['CROSSFADE_ADMIN'] ?? ADMIN;
  const token = valueOf(words, '--token') ?? io.env['CROSSFADE_TOKEN'];
  try {
    const { routes } = await createClient(admin, token, () => {})<RouteList>('/v1/routes', { answerMs: ANSWER_MS });
    return routes.map(({ name, weight, state }) => ({ text: name, what: plain(`${percent(weight)} new, ${state}`) }));
  } catch (error) {
    if (error instanceof CliError) return [];
    throw error;
  }
}
