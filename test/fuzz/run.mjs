// @ts-check
// `npm run fuzz`: the campaign.
import { runCompiled } from '../compiled.mjs';

runCompiled('fuzz');
