/**
 * Files that start processes come first: they take longest, and one that came last would have a core to itself. A fresh clone has no times
 * of an earlier run to go by.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const STARTS_PROCESSES =
  /\/test\/(?:faults|fleet|scenario|soak|supervisor|prometheus|bench|store\/redis)\/|\/test\/console\/(?:browser|long-ranges)\.|\/test\/readme\./;

export class ProcessesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [...sorted.filter(starts), ...sorted.filter((file) => !starts(file))];
  }
}

function starts({ moduleId }: TestSpecification): boolean {
  return STARTS_PROCESSES.test(moduleId);
}
