// @ts-check
/**
 * One row for each target, all set up alike.
 * @param {import('../types.ts').TargetOptions} options
 * @returns {import('../types.ts').Cell['variants']}
 */
export function eachTarget(options = {}) {
  return (targets) => targets.map((target) => ({ label: target, target, options }));
}
