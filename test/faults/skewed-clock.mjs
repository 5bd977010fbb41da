// @ts-check
// Preloaded: the time of day is CLOCK_SKEW_MS later in this process and those that it starts. What measures durations stays as it is.
const skewMs = Number(process.env['CLOCK_SKEW_MS']);
const RealDate = Date;
const now = () => RealDate.now() + skewMs;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args) => (args.length === 0 ? new target(now()) : Reflect.construct(target, args)),
  get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
});
