import { z } from 'zod';
import { ListenAddress } from './address.ts';
import { Name } from './name.ts';

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

/** The port for operators, the CLI and Prometheus. */
export const Admin = z.strictObject({
  address: ListenAddress.prefault('127.0.0.1:9900'),
  tokens: z.array(AdminToken).default([]),
  /** Whether `/metrics` answers without a token. */
  openMetrics: z.boolean().default(false),
});
