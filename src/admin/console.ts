/**
 * The operators' page, as Vite has built it: a handful of files, read once and sent from memory. It holds no secrets: whoever reaches the port
 * may load it, and it asks for a token itself.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Nothing from elsewhere, nothing inline, in nobody's frame. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Content codings that the build has made, best first (RFC 9110 section 8.4.1). */
const CODINGS = [
  { name: 'br', suffix: '.br' },
  { name: 'gzip', suffix: '.gz' },
] as const;

interface Asset {
  readonly type: string;
  readonly etag: string;
  /** The build names a file by its content: it never changes. */
  readonly isForEver: boolean;
  readonly body: Buffer;
  readonly coded: readonly { readonly name: string; readonly body: Buffer }[];
}

/** @param folder of the built page; one that is not there leaves the server without */
export function registerConsole(app: FastifyInstance, folder: string): void {
  if (!existsSync(join(folder, 'index.html'))) return;
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const type = TYPES[extname(file)];
    if (type === undefined) continue;
    const asset = readAsset(join(folder, file), type, file.startsWith('assets'));
    app.route({
      method: 'GET',
      url: file === 'index.html' ? '/' : `/${file}`,
      schema: { hide: true },
      config: { isPage: true },
      handler: async (request, reply) => sendAsset(request, reply, asset),
    });
  }
}

function readAsset(path: string, type: string, isForEver: boolean): Asset {
  const body = readFileSync(path);
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 20)}"`;
  const coded = CODINGS.flatMap(({ name, suffix }) =>
    existsSync(path + suffix) ? [{ name, body: readFileSync(path + suffix) }] : [],
  );
  return { type, etag, isForEver, body, coded };
}

function sendAsset({ headers }: FastifyRequest, reply: FastifyReply, asset: Asset): FastifyReply {
  void reply.headers({
    'cache-control': asset.isForEver ? 'public, max-age=31536000, immutable' : 'no-cache',
    'content-security-policy': POLICY,
    'referrer-policy': 'no-referrer',
    etag: asset.etag,
    vary: 'accept-encoding',
  });
  if (headers['if-none-match'] === asset.etag) return reply.code(304).send();
  const accepted = new Set((headers['accept-encoding'] ?? '').split(',').map((coding) => coding.trim()));
  const coded = asset.coded.find(({ name }) => accepted.has(name));
  if (coded !== undefined) void reply.header('content-encoding', coded.name);
  return reply.type(asset.type).send(coded?.body ?? asset.body);
}
