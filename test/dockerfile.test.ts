/** The image cannot be built where tests run without an engine; what can be read off its recipe is held here. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Instruction {
  readonly name: string;
  readonly text: string;
}

interface Stage {
  /** What it begins from, and its own name. */
  readonly from: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

/** Instructions with comments left out and continued lines joined. */
function instructionsOf(dockerfile: string): Instruction[] {
  return dockerfile
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', text = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
      return { name, text };
    });
}

function stagesOf(dockerfile: string): Stage[] {
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  for (const instruction of instructionsOf(dockerfile)) {
    if (instruction.name === 'FROM') {
      const [from = '', , name] = instruction.text.split(/\s+/);
      stages.push({ from, name, instructions: [] });
    } else {
      stages.at(-1)?.instructions.push(instruction);
    }
  }
  return stages;
}

const stages = stagesOf(readFileSync(`${root}Dockerfile`, 'utf8'));
const image = stages.at(-1) as Stage;

/** The last instruction of this name is the one that holds. */
function last(name: string): string {
  return image.instructions.findLast((instruction) => instruction.name === name)?.text ?? '';
}

function copies(stage: Stage): { from: string | undefined; sources: string[] }[] {
  return stage.instructions
    .filter(({ name }) => name === 'COPY')
    .map(({ text }) => {
      const words = text.split(/\s+/);
      const options = words.filter((word) => word.startsWith('--'));
      const from = options.find((word) => word.startsWith('--from='))?.slice('--from='.length);
      return { from, sources: words.slice(options.length, -1) };
    });
}

describe('the image', () => {
  test('is made in two stages, so that it carries no compiler', () => {
    expect(stages.map(({ name }) => name)).toEqual(['build', undefined]);
    const build = stages[0]?.instructions.map(({ text }) => text).join('\n');
    expect(build).toContain('npm ci');
    expect(build).toContain('npm run build');
    expect(build).toContain('npm prune --omit=dev');
  });

  test('copies only what is in the repository, and what the stage before made', () => {
    const all = stages.flatMap(copies);
    expect(all.length).toBeGreaterThan(0);
    for (const { from, sources } of all) {
      expect(sources.length).toBeGreaterThan(0);
      if (from === undefined) expect(sources.filter((source) => !existsSync(root + source))).toEqual([]);
      else expect(from).toBe('build');
    }
  });

  test('sends to the builder what it copies, and nothing else', () => {
    const [first, ...kept] = readFileSync(`${root}.dockerignore`, 'utf8').trimEnd().split('\n');
    expect(first).toBe('*');
    const copied = stages.flatMap(copies).flatMap(({ from, sources }) => (from === undefined ? sources : []));
    expect(kept.map((line) => line.replace('!', '')).sort()).toEqual([...new Set(copied)].sort());
  });

  test('does not run as root, and writes only to its volume', () => {
    expect(last('USER')).toBe('node');
    expect(last('VOLUME')).toBe('/data');
  });

  test('starts a command that the build makes', () => {
    const { bin } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { bin: { crossfade: string } };
    expect(JSON.parse(last('ENTRYPOINT'))).toEqual(['node', bin.crossfade]);
    expect(JSON.parse(last('CMD'))).toEqual(['serve']);
  });

  test('opens the ports of the sample configuration', () => {
    const sample = readFileSync(`${root}config/crossfade.yaml`, 'utf8');
    const ports = [...sample.matchAll(/address: \S+:(\d+)/g)].map(([, port]) => port);
    expect(last('EXPOSE').split(' ')).toEqual(ports);
  });
});

/** The check's own script, asking another port than 9900. */
function check(port: number): Promise<number | null> {
  const [program, ...args] = JSON.parse(last('HEALTHCHECK').replace(/^.*?CMD /, '')) as string[];
  expect(program).toBe('node');
  const script = (args.at(-1) ?? '').replace('127.0.0.1:9900', `127.0.0.1:${port}`);
  return new Promise((resolve) => {
    spawn(process.execPath, ['-e', script], { stdio: 'ignore' }).once('exit', resolve);
  });
}

describe("the image's health check", () => {
  const server = createServer();
  afterEach(() => server.close());

  async function listening(status: number): Promise<number> {
    server.removeAllListeners('request').on('request', (request, response) => {
      response.writeHead(request.url === '/healthz' ? status : 404).end();
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return (server.address() as AddressInfo).port;
  }

  test('passes while the admin API answers', async () => {
    expect(await check(await listening(200))).toBe(0);
  });

  test('fails when it answers with an error', async () => {
    expect(await check(await listening(503))).toBe(1);
  });

  test('fails when nothing answers', async () => {
    const port = await listening(200);
    server.close();
    expect(await check(port)).toBe(1);
  });
});
