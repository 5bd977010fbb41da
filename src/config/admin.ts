import { z } from 'zod';
import { ListenAddress } from './address.ts';
import { FilePath, Name } from './name.ts';

/** Names that the history gives to callers without a token. */
const RESERVED: readonly string[] = ['local', 'unknown', 'config'];

const AdminToken = z.strictObject({
  /** The caller's name in the history. */
  name: Name.refine((name) => !RESERVED.includes(name), {
    error: `must not be one of ${RESERVED.join(', ')}, which stand for callers without a token`,
  }),
  role: z.enum(['viewer', 'operator', 'admin']),
  /** SHA-256 of the token's bytes, in hex. */
  sha256: z
    .string()
    .regex(/^[0-9A-Fa-f]{64}$/, { error: 'must be 64 hexadecimal digits' })
    .toLowerCase(),
});

/** Where the console takes longer ranges from. `url` may have a path, where Prometheus lives below one. */
const Prometheus = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'must be an http(s) URL' })
    .refine((url) => !/[@?#]/.test(url), { error: 'must be without user, query and fragment' }),
  /** PEM file of the authorities that vouch for it; default: the runtime's. */
  ca: FilePath.exactOptional(),
  /** Sent as a bearer token. */
  token: z
    .string()
    .regex(/^[\x21-\x7e]+$/, { error: 'must be without spaces' })
    .exactOptional(),
});

/** The port for operators, the CLI and Prometheus. */
export const Admin = z.strictObject({
  address: ListenAddress.prefault('127.0.0.1:9900'),
  tokens: z.array(AdminToken).default([]),
  /** Whether `/metrics` answers without a token. */
  openMetrics: z.boolean().default(false),
  prometheus: Prometheus.exactOptional(),
});
