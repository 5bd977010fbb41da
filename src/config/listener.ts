import { z } from 'zod';
import { ListenAddress } from './address.ts';
import { Duration } from './duration.ts';
import { FilePath } from './name.ts';

/** Files in PEM; the certificate with those between it and its authority. */
const Certificate = z.strictObject({ certificate: FilePath, key: FilePath });

/** What clients are asked to show: a certificate that one of the authorities in `ca` (PEM) vouches for. */
const ClientCertificate = z.strictObject({
  ca: FilePath,
  /** `optional`: clients without one are served, too; one that nobody vouches for is refused all the same. */
  verify: z.enum(['required', 'optional']).default('required'),
  /** Whether backends are told of it, in `x-forwarded-client-cert`. */
  forward: z.boolean().default(false),
});

/**
 * A port for clients; with `tls` only for secured connections. Of several certificates the one is shown that has the name asked for (SNI) in
 * its subjectAltName, or the first.
 */
export const Listener = z
  .strictObject({
    address: ListenAddress,
    tls: z
      .union([Certificate, z.array(Certificate).min(1)], {
        error: 'must be a mapping of certificate and key, or a list of such',
      })
      .exactOptional(),
    clientCertificate: ClientCertificate.exactOptional(),
  })
  .refine(({ tls, clientCertificate }) => clientCertificate === undefined || tls !== undefined, {
    path: ['clientCertificate'],
    error: 'needs tls, in which clients show it',
  });

/** No ticket is good for longer (RFC 8446 section 4.6.1). */
const LONGEST_MS = 7 * 24 * 3_600_000;

/** How often the keys that seal TLS session tickets are replaced; 0: when the process is. */
export const TicketRotation = Duration.refine((ms) => ms === 0 || (ms >= 1_000 && ms <= LONGEST_MS), {
  error: 'must be 0, or between 1s and 168h',
});
