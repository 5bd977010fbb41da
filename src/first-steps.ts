/** The sample configuration to try: its backends to start, and what to type. */
import type { Plan } from './control/plan.ts';
import type { SampleBackend } from './demo/sample-backends.ts';

/** A server for each backend of the sample configuration, which has an address for each. */
export function samplesOf({ routes, backends }: Plan): SampleBackend[] {
  return routes.flatMap(({ spec }) =>
    (['old', 'new'] as const).flatMap((side) => {
      const backend = backends[spec[side]];
      if (backend?.source.kind !== 'static') return [];
      const protocol = backend.spec.protocol === 'h2' ? 'h2' : 'http1';
      return backend.source.endpoints.slice(0, 1).map((endpoint) => ({ side, endpoint, protocol }) as const);
    }),
  );
}

export function printFirstSteps({ listeners, routes }: Plan): void {
  const address = `127.0.0.1:${listeners[0]?.port}`;
  const steps = [
    [`curl -s http://${address}/`, 'which side answers'],
    [
      `npx crossfade set ${routes[0]?.spec.name} 50 --reason "first try" --wait`,
      'half of the requests to the new side',
    ],
    ['npx crossfade status', 'what each side was given'],
  ] as const;
  const lines = steps.map(([command, effect]) => `  ${command.padEnd(60)}# ${effect}\n`);
  process.stdout.write(`Try, in another terminal:\n${lines.join('')}`);
  const method = 'crossfade.demo.v1.Greeter/Say';
  const fields = "-H 'content-type: application/grpc' -H 'te: trailers'";
  const calls = [
    `printf '\\0\\0\\0\\0\\0' | curl -s --http2-prior-knowledge ${fields} --data-binary @- http://${address}/${method} | tail -c +8`,
    `grpcurl -plaintext -proto config/greeter.proto -d '{"name": "you"}' ${address} ${method}`,
  ];
  process.stdout.write(
    `gRPC on the same port, by curl alone or by grpcurl:\n${calls.map((call) => `  ${call}\n`).join('')}`,
  );
}
