/** Platforms to try a migration on, without having any: they run beside the proxy and end with it. */
import { isIPv4 } from 'node:net';
import { z } from 'zod';
import { ListenAddress } from './address.ts';
import { Name } from './name.ts';

/** Hosts are addresses of this machine, on which the job's tasks really serve. */
const HeliosEmulator = z.strictObject({
  address: ListenAddress,
  job: Name,
  port: Name,
  hosts: z.array(z.string().refine(isIPv4, { error: 'must be an IPv4 address of this machine' })).min(1),
});

/** Pods really serve, on addresses from 127.1.0.1 on, all at `podPort`. */
const KubernetesEmulator = z.strictObject({
  address: ListenAddress,
  namespace: Name,
  service: Name,
  port: Name,
  podPort: z.int().min(1).max(65_535),
  pods: z.int().min(1).max(200).default(3),
});

export const Emulators = z.strictObject({
  helios: HeliosEmulator,
  kubernetes: KubernetesEmulator,
  /** Play a whole migration on them, and say what happens. */
  rehearsal: z.boolean().default(false),
});
