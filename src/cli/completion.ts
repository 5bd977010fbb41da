/** What can be typed next, told from the commands themselves: nothing is listed twice. */
import type { Argument, Command, Option } from 'commander';

export interface Candidate {
  readonly text: string;
  readonly what: string;
}

/** Where candidates come from; names of routes and of files are for the caller to look up. */
type Source = readonly Candidate[] | 'routes' | 'files';

export interface Completion {
  readonly source: Source;
  /** What of a candidate has been typed. */
  readonly begun: string;
  /** What stands before it in the same word: `--output=` of `--output=js`. */
  readonly before: string;
}

interface Typed {
  readonly command: Command;
  /** How many arguments stand before the last word. */
  readonly given: number;
  /** The option whose value the last word is. */
  readonly pending: Option | undefined;
}

/** @param words what stands after `crossfade`, the last one begun or empty */
export function complete(program: Command, words: readonly string[]): Completion {
  const begun = words.at(-1) ?? '';
  const { command, given, pending } = read(program, words.slice(0, -1));
  const [flag = '', value] = split(begun);
  const inline = value === undefined ? undefined : optionOf(command, program, flag);
  if (inline !== undefined) return { source: valuesOf(inline), begun: value ?? '', before: `${flag}=` };
  const whole = { begun, before: '' };
  const isFlag = begun.startsWith('-');
  if (pending !== undefined && !(pending.optional && isFlag)) return { source: valuesOf(pending), ...whole };
  if (isFlag) return { source: flags(command, program), ...whole };
  return { source: command === program ? subcommands(program) : argumentOf(command, program, given), ...whole };
}

export function matching(candidates: readonly Candidate[], { begun, before }: Completion): Candidate[] {
  const fitting = candidates.filter(({ text }) => text.startsWith(begun));
  return fitting.map(({ text, what }) => ({ text: before + text, what }));
}

/** The value of an option that was typed before, such as `--admin`. */
export function valueOf(words: readonly string[], flag: string): string | undefined {
  const at = words.findLastIndex((word) => word === flag || word.startsWith(`${flag}=`));
  const word = words[at];
  return word === flag ? words[at + 1] : word?.slice(flag.length + 1);
}

/** A line as a shell takes it apart, quotes and backslashes gone; ends in an empty word after a blank. */
export function wordsOf(line: string): string[] {
  const words = [''];
  for (const [piece] of line.matchAll(/\s+|'[^']*'?|"(?:\\.|[^"\\])*"?|\\.|[^\s'"\\]+|\\$/gs)) {
    if (/^\s/.test(piece)) words.push('');
    else words[words.length - 1] += unquoted(piece);
  }
  return words;
}

function unquoted(piece: string): string {
  if (piece.startsWith("'")) return piece.slice(1).replace(/'$/, '');
  return piece.replace(/^"|(?<!\\)"$/g, '').replace(/\\(.)/gs, '$1');
}

function read(program: Command, words: readonly string[]): Typed {
  let command = program;
  let given = 0;
  let pending: Option | undefined;
  for (const word of words) {
    // An option that may do without its value takes the next word all the same, unless that is an option: commander's rule.
    const isValue = pending !== undefined && !(pending.optional && word.startsWith('-'));
    pending = undefined;
    if (isValue) continue;
    if (word.startsWith('-')) {
      const [flag = '', value] = split(word);
      const option = optionOf(command, program, flag);
      if (value === undefined && option !== undefined && (option.required || option.optional)) pending = option;
    } else if (command === program) {
      command = visibleCommands(program).find((each) => each.name() === word) ?? program;
    } else given++;
  }
  return { command, given, pending };
}

/** `--output=json` as its two parts; any other word stands alone. */
function split(word: string): string[] {
  const at = word.indexOf('=');
  return word.startsWith('--') && at > 0 ? [word.slice(0, at), word.slice(at + 1)] : [word];
}

function optionOf(command: Command, program: Command, flag: string): Option | undefined {
  return [...command.options, ...program.options].find((option) => option.long === flag || option.short === flag);
}

function flags(command: Command, program: Command): Candidate[] {
  const own = command === program ? [] : command.options;
  const visible = [...own, ...program.options].filter((option) => !option.hidden);
  const words = visible.map(({ long, flags: written, description }) => ({ text: long ?? written, what: description }));
  const all = [...words, { text: '--help', what: 'display help for command' }];
  // A command's own word on an option goes before that of all commands.
  return all.filter(({ text }, i) => all.findIndex((each) => each.text === text) === i);
}

function visibleCommands(program: Command): Command[] {
  return program.createHelp().visibleCommands(program);
}

function subcommands(program: Command): Candidate[] {
  return visibleCommands(program).map((each) => ({ text: each.name(), what: each.description() }));
}

function argumentOf(command: Command, program: Command, given: number): Source {
  if (command.name() === 'help') return given === 0 ? subcommands(program) : [];
  const wanted = command.registeredArguments[given];
  return wanted === undefined ? [] : valuesOf(wanted);
}

/** By its choices or by its name: what is called route is one, wherever it stands. */
function valuesOf(wanted: Argument | Option): Source {
  if (wanted.argChoices !== undefined) return wanted.argChoices.map((text) => ({ text, what: '' }));
  const name = 'attributeName' in wanted ? wanted.attributeName() : wanted.name();
  if (name === 'route') return 'routes';
  return name === 'file' || name === 'config' ? 'files' : [];
}
