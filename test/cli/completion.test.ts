/** Completion as bash asks for it, and what the commands answer to it. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

describe('in bash', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'crossfade-completion-'));
    await writeFile(join(folder, 'crossfade'), `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`, {
      mode: 0o755,
    });
    await writeFile(join(folder, 'mine one.yaml'), '');
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** Sources the script as a user does, then asks for each line as readline does. */
  async function replies(...lines: readonly string[]): Promise<string[][]> {
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
    const env = { ...process.env, PATH: `${folder}:${process.env['PATH']}`, CROSSFADE_ADMIN: admin.url };
    const args = ['--norc', '-c', script, 'bash', ...lines];
    const { stdout, stderr } = await promisify(execFile)('bash', args, { env, cwd: folder });
    expect(stderr).toBe('');
    return stdout
      .trimEnd()
      .split('\n')
      .map((each) => each.split(','));
  }

  test('commands, flags, files', async () => {
    const lines = ['crossfade un', 'crossfade ramp search --dr', 'crossfade status --output=j', 'crossfade check mi'];
    expect(await replies(...lines)).toEqual([['undo', 'unfreeze'], ['--dry-run'], ['json'], ['mine one.yaml']]);
  });

  test('live routes, of the admin API on the line too', async () => {
    await inTime(async () => {
      const lines = ['crossfade set --reason "too slow" sea', `crossfade --admin ${admin.url} set ca`];
      expect(await replies(...lines)).toEqual([['search', 'search-beta'], ['cart']]);
    });
  });
});
