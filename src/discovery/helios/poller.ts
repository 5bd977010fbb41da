/**
 * Asks a Helios master about everything that is wanted of it, again and again: it has no watch. RUNNING is joined with the host being up,
 * since the first is what was written last and only the second says that the host lives.
 */
import type { HeliosSelection } from '../../domain/source.ts';
import { LiveSet } from '../live-set.ts';
import { runRounds } from '../rounds.ts';
import type { HeliosMaster } from './master.ts';
import type { HeliosMasters } from './masters.ts';
import { liveEndpoints, mergedJobs, type RunningTask, type Wanted, type WantedJob, wantedJobs } from './tasks.ts';

const NOTHING: Wanted = { jobs: [], loopback: [] };

interface Follower {
  readonly select: HeliosSelection;
  readonly set: LiveSet;
  /** Of the jobs as they were last; null: it has not been shown anything yet. */
  wanted: Wanted | null;
}

export class HeliosPoller {
  readonly #masters: HeliosMasters;
  readonly #clock: () => number;
  readonly #followers = new Set<Follower>();
  /** What was asked about last, the same arrays as long as it stays the same. */
  #jobs: readonly WantedJob[] = [];
  #askedFor = 0;
  #tasks: readonly RunningTask[] = [];
  #hosts: readonly string[] = [];

  /** @param over ends the polling */
  constructor(
    masters: HeliosMasters,
    intervalMs: number,
    { clock, random }: { clock: () => number; random: () => number },
    over: AbortSignal,
  ) {
    this.#masters = masters;
    this.#clock = clock;
    void runRounds(async () => {
      const begunAt = clock();
      await this.#round();
      const tookMs = clock() - begunAt;
      // From begin to begin, with jitter, so that the replicas of a fleet do not all ask at once. A slow master has its rest as well.
      return Math.max(intervalMs * (0.9 + random() / 5) - tookMs, tookMs / 2);
    }, over);
  }

  /** From the next round on. @param onClose called once, when it is closed */
  follow(select: HeliosSelection, onClose: () => void): LiveSet {
    const set = new LiveSet(this.#clock, () => {
      this.#followers.delete(follower);
      onClose();
    });
    const follower: Follower = { select, set, wanted: null };
    this.#followers.add(follower);
    return set;
  }

  async #round(): Promise<void> {
    const followers = [...this.#followers];
    try {
      await this.#masters.first((master) => this.#poll(master, followers));
    } catch (error) {
      for (const { set } of followers) set.fail((error as Error).message);
    }
  }

  async #poll(master: HeliosMaster, followers: readonly Follower[]): Promise<void> {
    master.begin();
    const jobs = await master.jobs();
    let isNew = jobs.isNew || followers.length !== this.#askedFor;
    for (const follower of followers) {
      if (!jobs.isNew && follower.wanted !== null) continue;
      // At once: the rest of the round may fail, and the next time the jobs are no news.
      follower.wanted = wantedJobs(jobs.value, follower.select);
      isNew = true;
    }
    if (isNew) {
      this.#jobs = mergedJobs(followers.map(({ wanted }) => wanted ?? NOTHING));
      this.#askedFor = followers.length;
    }
    const tasks = await master.tasks(this.#jobs);
    if (tasks.value !== this.#tasks) {
      this.#tasks = tasks.value;
      this.#hosts = [...new Set(tasks.value.map(({ host }) => host))].sort();
    }
    const up = await master.hostsUp(this.#hosts);
    if (!isNew && !tasks.isNew && !up.isNew) {
      for (const { set } of followers) set.confirm();
      return;
    }
    const byJob = new Map<string, RunningTask[]>();
    for (const task of tasks.value) byJob.set(task.job, [...(byJob.get(task.job) ?? []), task]);
    const hosts = new Set(up.value);
    for (const follower of followers) show(follower, follower.wanted ?? NOTHING, byJob, hosts);
  }
}

/** What was there and is all gone at once is more likely lost than ended: the last good ones stay. */
function show(
  { select, set }: Follower,
  wanted: Wanted,
  tasks: ReadonlyMap<string, readonly RunningTask[]>,
  up: ReadonlySet<string>,
): void {
  const endpoints = liveEndpoints(wanted.jobs, tasks, up);
  if (endpoints.length > 0) return set.put(endpoints);
  const running = wanted.jobs.reduce((sum, { id }) => sum + (tasks.get(id)?.length ?? 0), 0);
  const words = `Helios: ${emptiness(select, wanted, running)}`;
  if (set.endpoints.length === 0) set.put([], words);
  else set.fail(`${words}; the last ${set.endpoints.length} stay in use`);
}

function emptiness(select: HeliosSelection, { jobs, loopback }: Wanted, running: number): string {
  if (running > 0) return `all ${running} running tasks of ${nameOf(select)} are on hosts that are down`;
  if (jobs.length > 0) return `no task of ${nameOf(select)} is running`;
  if (loopback.length > 0) return `${nameOf(select)} listens on loopback only (${loopback.join(', ')})`;
  return `there is no ${nameOf(select)}`;
}

function nameOf(select: HeliosSelection): string {
  if ('job' in select) return `job ${select.job} with the port ${select.port}`;
  const port = select.port === null ? '' : ` with the port ${select.port}`;
  return `job registered as ${select.registration}${port}`;
}
