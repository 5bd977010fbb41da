import { z } from 'zod';
import { ListenAddress } from './address.ts';
import { FilePath } from './name.ts';

/** A port for clients; with `tls` only for secured connections. Certificate and key are files in PEM. */
export const Listener = z.strictObject({
  address: ListenAddress,
  tls: z.strictObject({ certificate: FilePath, key: FilePath }).exactOptional(),
});
