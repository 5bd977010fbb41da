// @ts-check
// What stands in the committed configurations of nginx, HAProxy and Caddy for each protocol that a cell asks for.

/**
 * @param {import('../types.ts').TargetOptions} options
 * @param {Record<import('../types.ts').Front, string>} fronts
 * @param {Record<import('../types.ts').Back, string>} backs
 * @returns {[front: string, back: string]}
 */
export function wordsFor({ front = 'http1', back = 'http1' }, fronts, backs) {
  return [fronts[front], backs[back]];
}
