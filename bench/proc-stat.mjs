// @ts-check
// What Linux says of processes under /proc.
import { readdirSync, readFileSync } from 'node:fs';

/** `getconf CLK_TCK` is 100 on every Linux that Node runs on: CPU times come in steps of 10 ms. */
const TICK_MICROSECONDS = 10_000;

/**
 * The text after the process name, which may itself hold spaces and brackets: fields from the third on.
 * @param {string} path
 */
function statFields(path) {
  const text = readFileSync(path, 'latin1');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/**
 * CPU time that these processes have used so far, microseconds.
 * @param {readonly number[]} pids
 * @throws {Error} when one of them is gone
 */
export function cpuOf(pids) {
  const cpu = { userUs: 0, systemUs: 0 };
  for (const pid of pids) {
    const fields = statFields(`/proc/${pid}/stat`);
    cpu.userUs += Number(fields[11]) * TICK_MICROSECONDS;
    cpu.systemUs += Number(fields[12]) * TICK_MICROSECONDS;
  }
  return cpu;
}

/**
 * Peak resident memory (VmHWM) of these processes, bytes, summed: pages that they share count in each.
 * @param {readonly number[]} pids
 */
export function peakRssOf(pids) {
  return memoryOf(pids, /^VmHWM:\s+(\d+) kB/m);
}

/**
 * Resident memory (VmRSS) of these processes now, bytes, summed.
 * @param {readonly number[]} pids
 */
export function rssOf(pids) {
  return memoryOf(pids, /^VmRSS:\s+(\d+) kB/m);
}

/**
 * @param {readonly number[]} pids
 * @param {RegExp} line of /proc/PID/status; its group is in kilobytes
 */
function memoryOf(pids, line) {
  let bytes = 0;
  for (const pid of pids) {
    const [, kilobytes] = line.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    bytes += Number(kilobytes ?? 0) * 1024;
  }
  return bytes;
}

/**
 * The process and all its descendants, in order of id.
 * @param {number} root
 */
export function familyOf(root) {
  /** @type {Map<number, number[]>} */
  const children = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const parent = Number(statFields(`/proc/${name}/stat`)[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // It ended between the listing and the look.
    }
  }
  const family = [root];
  for (const pid of family) family.push(...(children.get(pid) ?? []));
  return family.sort((a, b) => a - b);
}
