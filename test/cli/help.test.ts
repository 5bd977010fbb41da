import { expect, test } from 'vitest';
import { wordsOf } from '../../src/cli/completion.ts';
import { createProgram } from '../../src/cli/run.ts';
import { run } from './harness.ts';

const program = createProgram({ env: {}, out() {}, err() {} }, () => {});
const visible = program
  .createHelp()
  .visibleCommands(program)
  .map((command) => command.name());
const commands = program.commands.filter((command) => visible.includes(command.name()));

test('there are commands to walk', () => {
  expect(commands.length).toBeGreaterThan(20);
});

test.each(commands.map((command) => [command.name(), command] as const))(
  '%s --help has examples that the command takes',
  async (name, command) => {
    const { code, out } = await run([name, '--help']);
    expect(code).toBe(0);
    const lines = /\nExamples:\n([\s\S]+)$/.exec(out)?.[1]?.split('\n') ?? [];
    const examples = lines.flatMap((line) => /^ {2}(.*?)(?: {3,}# .*)?$/.exec(line)?.[1] ?? []);
    expect(examples).not.toEqual([]);
    for (const example of examples) {
      const parts = example.split(/ (?:&&|\|) | > | < /).filter((part) => part.startsWith('crossfade '));
      expect(parts.some((part) => part.split(' ')[1] === name)).toBe(true);
      for (const part of parts) expect(misfits(wordsOf(part).slice(1))).toEqual([]);
    }
    expect(command.description()).not.toBe('');
  },
);

/** What of an example no command takes. */
function misfits(words: readonly string[]): string[] {
  const command = program.commands.find((each) => each.name() === words[0]);
  if (command === undefined) return [`no command ${words[0]}`];
  const bad: string[] = [];
  const positional: string[] = [];
  for (let i = 1; i < words.length; i++) {
    const word = words[i] as string;
    if (!word.startsWith('-') || word === '-') {
      positional.push(word);
      continue;
    }
    const option = [...command.options, ...program.options].find((each) => each.long === word || each.short === word);
    if (option === undefined) {
      bad.push(word);
      continue;
    }
    if (option.required || (option.optional && words[i + 1]?.startsWith('-') === false)) {
      i++;
      option.parseArg?.(words[i] as string, option.defaultValue);
    }
  }
  const { registeredArguments: taken } = command;
  const least = taken.filter((argument) => argument.required).length;
  if (positional.length < least || positional.length > taken.length) bad.push(positional.join(' '));
  for (const [i, word] of positional.entries()) taken[i]?.parseArg?.(word, undefined);
  return bad;
}
