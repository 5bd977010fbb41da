/** Tests that grow with what they are given: the default suite takes a sample, `npm run test:whole` the whole. */
export const IS_WHOLE = process.env['CROSSFADE_TESTS'] === 'whole';

export function sized(whole: number, sample: number): number {
  return IS_WHOLE ? whole : sample;
}
