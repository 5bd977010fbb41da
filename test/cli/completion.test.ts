/** Completion as the shells ask for it, and what the commands answer to it. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { wordsOf } from '../../src/cli/completion.ts';
import { FakeControl } from '../admin/fake-control.ts';
import { type Admin, startAdmin } from '../admin/harness.ts';
import { run } from './harness.ts';

const MAIN = new URL('../../dist/cli/main.js', import.meta.url).pathname;

let admin: Admin;
beforeEach(async () => {
  admin = await startAdmin(new FakeControl('search', 'search-beta', 'cart'));
});
afterEach(() => admin.close());

/** The admin API is waited for half a second only, which a busy machine may need for less. */
const inTime = (check: () => Promise<void>): Promise<void> => vi.waitFor(check, { timeout: 20_000 });

const asked = async (words: readonly string[]): Promise<string[]> => {
  const { code, out, err } = await run(['__complete', '--', ...words], { CROSSFADE_ADMIN: admin.url });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out === '' ? [] : out.split('\n').map((line) => line.split('\t')[0] as string);
};

describe('candidates', () => {
  test('commands by what they begin with; hidden ones are not told', async () => {
    expect(await asked(['un'])).toEqual(['undo', 'unfreeze']);
    expect(await asked([''])).toEqual(expect.arrayContaining(['serve', 'status', 'completion', 'help']));
    expect(await asked(['__'])).toEqual([]);
    expect(await asked(['help', 'ro'])).toEqual(['rollback']);
  });

  test('names of live routes wherever one is wanted, with what they are at', () =>
    inTime(async () => {
      expect(await asked(['set', ''])).toEqual(['search', 'search-beta', 'cart']);
      expect(await asked(['set', 'search', ''])).toEqual([]);
      expect(await asked(['rollback', '--reason', 'too slow', 'se'])).toEqual(['search', 'search-beta']);
      expect(await asked(['history', '--route', 'c'])).toEqual(['cart']);
      expect(await asked(['history', '--route=c'])).toEqual(['--route=cart']);
      const { out } = await run(['__complete', '--', 'set', 'cart'], { CROSSFADE_ADMIN: admin.url });
      expect(out).toBe('cart\t0% new, steady');
    }));

  test('flags of the command and of all commands, values of those that have choices', async () => {
    expect(await asked(['ramp', '--d'])).toEqual(['--dry-run']);
    expect(await asked(['rollback', '--a'])).toEqual(['--all', '--admins', '--admin']);
    expect(await asked(['rollback', '--f'])).toEqual(['--force']);
    expect(await asked(['watch', '--t'])).toEqual(['--token']);
    expect(await asked(['status', '-o', ''])).toEqual(['text', 'json']);
    expect(await asked(['status', '--output=j'])).toEqual(['--output=json']);
    expect(await asked(['completion', ''])).toEqual(['bash', 'zsh', 'fish']);
    expect(await asked(['set', '--wait', ''])).toEqual([]);
    expect(await asked(['set', '--wait', '--r'])).toEqual(['--reason']);
  });

  test('files are left to the shell', async () => {
    expect(await asked(['check', ''])).toEqual([':files']);
    expect(await asked(['serve', '--config', 'c'])).toEqual([':files']);
  });

  test('--admin on the line goes before the environment; nobody there is no error', async () => {
    const { code, out, err } = await run(['__complete', '--', 'set', '--admin', 'http://127.0.0.1:1', ''], {
      CROSSFADE_ADMIN: admin.url,
    });
    expect({ code, out, err }).toEqual({ code: 0, out: '', err: '' });
  });

  test('an admin API that does not answer is not waited for', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    expect(await run(['__complete', '--', 'set', ''], { CROSSFADE_ADMIN: url })).toEqual({ code: 0, out: '', err: '' });
    silent.closeAllConnections();
    await new Promise((resolve) => silent.close(resolve));
  });
});

test.each([
  ['crossfade set se', ['crossfade', 'set', 'se']],
  ['crossfade set ', ['crossfade', 'set', '']],
  ['x --reason "two words" \'and "three"\' a\\ b', ['x', '--reason', 'two words', 'and "three"', 'a b']],
  ['x "unfinished wo', ['x', 'unfinished wo']],
  ['x --a=http://h:1/ y', ['x', '--a=http://h:1/', 'y']],
])('a line as bash takes it apart: %s', (line, words) => {
  expect(wordsOf(line)).toEqual(words);
});

/** A folder to be in, with a command `crossfade` and a file whose name has a blank. */
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crossfade-completion-'));
  await writeFile(join(folder, 'crossfade'), `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`, { mode: 0o755 });
  await writeFile(join(folder, 'mine one.yaml'), '');
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs a script in a shell that has read nothing of its user's. @returns a line each of what it says */
async function linesOf(shell: string, args: readonly string[]): Promise<string[]> {
  const PATH = `${folder}:${process.env['PATH']}`;
  const env = { ...process.env, PATH, HOME: folder, CROSSFADE_ADMIN: admin.url };
  const { stdout, stderr } = await promisify(execFile)(shell, args, { env, cwd: folder });
  expect(stderr).toBe('');
  return stdout.trimEnd().split('\n');
}

/** Not installed here: the name of its tests says so. */
function lacks(shell: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).every((place) => !existsSync(join(place, shell)));
}
const named = (shell: string): string => `in ${shell}${lacks(shell) ? ` (left out: there is no ${shell} here)` : ''}`;

/** Sources the script as a user does, then asks for each line as readline does. */
async function bashReplies(...lines: readonly string[]): Promise<string[][]> {
  const script = `
    source <(crossfade completion bash)
    complete_function=$(complete -p crossfade | sed 's/.*-F \\([^ ]*\\).*/\\1/')
    for line; do
      COMP_LINE=$line COMP_POINT=\${#line}
      read -ra COMP_WORDS <<< "\${line//[:=]/ & }"
      [[ $line == *' ' ]] && COMP_WORDS+=("")
      COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
      "$complete_function" crossfade "\${COMP_WORDS[COMP_CWORD]}" ""
      (IFS=,; echo "\${COMPREPLY[*]}")
    done`;
  const said = await linesOf('bash', ['--norc', '-c', script, 'bash', ...lines]);
  return said.map((each) => each.split(','));
}

describe('in bash', () => {
  test('commands, flags, files', async () => {
    const lines = ['crossfade un', 'crossfade ramp search --dr', 'crossfade status --output=j', 'crossfade check mi'];
    expect(await bashReplies(...lines)).toEqual([['undo', 'unfreeze'], ['--dry-run'], ['json'], ['mine one.yaml']]);
  });

  test('live routes, of the admin API on the line too', async () => {
    await inTime(async () => {
      const lines = ['crossfade set --reason "too slow" sea', `crossfade --admin ${admin.url} set ca`];
      expect(await bashReplies(...lines)).toEqual([['search', 'search-beta'], ['cart']]);
    });
  });
});

/**
 * A terminal of its own, in which each line is typed and a key pressed that puts in all that fits; then the line is told.
 * @param place how the script comes to the shell
 */
async function zshLines(place: string, ...typed: readonly string[]): Promise<string[]> {
  const script = `
    zmodload zsh/zpty
    zpty -b shell 'PS1= TERM=dumb zsh -f -i'
    zpty -w shell 'setopt no_beep; unsetopt prompt_cr prompt_sp; ${place}'
    zpty -w shell 'zstyle ":completion:all:*" completer _all_matches _complete; zstyle ":completion:all:*" insert true'
    zpty -w shell 'zle -C all complete-word _generic; bindkey "^A" all'
    zpty -w shell 'tell() { print -r -- "<$BUFFER>"; BUFFER= }; zle -N tell; bindkey "^X" tell; print rea""dy'
    zpty -r shell said '*ready*'
    for line; do
      [[ $line == *'*' ]] && key=$'\\x01' || key=$'\\t'
      zpty -w -n shell "\${line%'*'}$key"$'\\x18'
      zpty -r shell said '*<*>*'
      said=\${said##*<}
      print -r -- "\${said%%>*}"
    done
    zpty -d shell`;
  const told = await linesOf('zsh', ['-f', '-c', script, 'zsh', ...typed]);
  return told.map((line) => line.trimEnd());
}

const SOURCED = 'autoload -Uz compinit; compinit -D -u; source <(crossfade completion zsh)';

describe.skipIf(lacks('zsh'))(named('zsh'), () => {
  test('commands, flags, files', async () => {
    const typed = ['crossfade un*', 'crossfade ramp search --dr', 'crossfade status --output=j', 'crossfade check mi'];
    expect(await zshLines(SOURCED, ...typed)).toEqual([
      'crossfade undo unfreeze',
      'crossfade ramp search --dry-run',
      'crossfade status --output=json',
      'crossfade check mine\\ one.yaml',
    ]);
  });

  test('as a file of fpath, from the first key on', async () => {
    const installed =
      'crossfade completion zsh > _crossfade; fpath=($PWD $fpath); autoload -Uz compinit; compinit -D -u';
    expect(await zshLines(installed, 'crossfade sta', 'crossfade ramp search --dr')).toEqual([
      'crossfade status',
      'crossfade ramp search --dry-run',
    ]);
  });

  test('live routes, of the admin API on the line too', async () => {
    await inTime(async () => {
      const typed = ['crossfade set --reason "too slow" sea*', `crossfade --admin ${admin.url} set ca`];
      const [all = '', one] = await zshLines(SOURCED, ...typed);
      // In which order is up to zsh.
      expect(all.split(' ').slice(-2).sort()).toEqual(['search', 'search-beta']);
      expect(one).toBe(`crossfade --admin ${admin.url} set cart`);
    });
  });
});

/** Sources the script as a user does, then asks fish what it would offer. */
async function fishReplies(line: string): Promise<string[]> {
  const script = 'crossfade completion fish | source; complete -C $argv[1]';
  const said = await linesOf('fish', ['--no-config', '-c', script, line]);
  return said.map((each) => each.split('\t')[0] as string);
}

describe.skipIf(lacks('fish'))(named('fish'), () => {
  test.each([
    ['crossfade un', ['undo', 'unfreeze']],
    ['crossfade ramp search --dr', ['--dry-run']],
    ['crossfade status --output=j', ['--output=json']],
    ['crossfade check mi', ['mine one.yaml']],
  ])('commands, flags, files: %s', async (line, expected) => {
    expect(await fishReplies(line)).toEqual(expected);
  });

  test('live routes, of the admin API on the line too', async () => {
    await inTime(async () => {
      expect(await fishReplies('crossfade set --reason "too slow" sea')).toEqual(['search', 'search-beta']);
      expect(await fishReplies(`crossfade --admin ${admin.url} set ca`)).toEqual(['cart']);
    });
  });
});
