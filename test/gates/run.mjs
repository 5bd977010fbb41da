// @ts-check
// `npm run backtest:gates`: the simulation.
import { runCompiled } from '../compiled.mjs';

runCompiled('gates');
