// @ts-check
// `npm start`: installs and builds if need be, then runs in this same process, so that a signal to it reaches the proxy.
import { build, install } from './prepare.mjs';

install();
build();
// Not named as a literal, since it does not exist before the build.
await import(new URL('../dist/cli/start.js', import.meta.url).href);
