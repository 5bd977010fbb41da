// @ts-check
/**
 * One row for each target.
 * @param {readonly string[]} targets
 * @returns {import('../types.ts').Variant[]}
 */
export function eachTarget(targets) {
  return targets.map((target) => ({ label: target, target, options: {} }));
}
