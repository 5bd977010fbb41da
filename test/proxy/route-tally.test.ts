import { describe, expect, test } from 'vitest';
import { eraOf } from '../../src/domain/era.ts';
import { OUTCOME_CANCELLED, OUTCOME_FAULT, OUTCOME_OK, type OutcomeIndex } from '../../src/domain/outcome.ts';
import { NEW, OLD, type SideIndex } from '../../src/domain/route.ts';
import { NO_KEY, sightingCells } from '../../src/domain/sighting.ts';
import { TALLY_NAMES, TALLY_ROW } from '../../src/domain/tally.ts';
import { RouteTally, type TallyRows } from '../../src/proxy/route-tally.ts';

const ERA = eraOf(1, 100_000);
const NEXT_ERA = eraOf(1, 200_000);

/** A tally with a clock and requests that are told apart by number. */
class Scene {
  nowMs = 0;
  urgent = 0;
  readonly tally: RouteTally;
  readonly #told = new Map<number, { draw: number; owner: number; startMs: number; slow: number }>();

  constructor(isSticky = false) {
    this.tally = new RouteTally(isSticky, () => this.urgent++);
  }

  draw(id: number, side: SideIndex, era = ERA, hash = NO_KEY): void {
    const draw = this.tally.draw(era, this.nowMs, side, hash);
    this.#told.set(id, { draw, owner: this.tally.ownerOf(side), startMs: this.nowMs, slow: 0 });
  }

  end(id: number, outcome: OutcomeIndex): void {
    const { draw, owner, startMs, slow } = this.#of(id);
    this.tally.decide(draw, owner, outcome, slow, this.nowMs - startMs, this.nowMs);
  }

  /** Nothing was answered, as when no connection was taken. */
  fail(id: number): void {
    const { draw, owner, slow } = this.#of(id);
    this.tally.decide(draw, owner, OUTCOME_FAULT, slow, Number.NaN, this.nowMs);
  }

  /** As a worker's sweep does for a request that is not over. */
  watch(id: number): void {
    const request = this.#of(id);
    const bits = this.tally.slowBits(request.owner & 1, this.nowMs - request.startMs) & ~request.slow;
    request.slow |= bits;
    if (bits !== 0) this.tally.slowSoFar(request.draw, request.owner, bits);
  }

  sweepAt(nowMs: number): void {
    this.nowMs = nowMs;
    this.tally.sweep(nowMs);
  }

  take(): { rows: Record<string, number>[]; sightings: string[]; latencies: number } {
    const rows: TallyRows = { tallies: [], latencies: [], sightings: [] };
    this.tally.takeInto(0, rows);
    const told: Record<string, number>[] = [];
    for (let at = 0; at < rows.tallies.length; at += TALLY_ROW) {
      const cells = rows.tallies.slice(at + 2, at + TALLY_ROW);
      const named = TALLY_NAMES.map((name, i) => [name, cells[i] as number] as const).filter(([, n]) => n > 0);
      told.push({ era: rows.tallies[at + 1] as number, ...Object.fromEntries(named) });
    }
    const sightings: string[] = [];
    for (let at = 0; at < rows.sightings.length; at += 4) {
      sightings.push(`${rows.sightings[at + 2]} ${sightingCells(rows.sightings[at + 3] as number).join(' ')}`);
    }
    return { rows: told, sightings, latencies: rows.latencies.length / 3 };
  }

  #of(id: number) {
    const request = this.#told.get(id);
    if (request === undefined) throw new Error(`no request ${id}`);
    return request;
  }
}

describe('the order in which responses are let go', () => {
  test('an early answer of one side waits for the slower of the other that was drawn before it', () => {
    const scene = new Scene();
    scene.draw(1, NEW);
    for (let id = 2; id < 12; id++) scene.draw(id, OLD);
    scene.nowMs = 5;
    for (let id = 2; id < 12; id++) scene.end(id, OUTCOME_OK);
    expect(scene.take().rows).toEqual([]);
    scene.nowMs = 90;
    scene.end(1, OUTCOME_OK);
    expect(scene.take().rows).toEqual([{ era: ERA, 'old.ok': 10, 'new.ok': 1 }]);
  });

  test('nobody waits for half a second: what is not over then counts as well so far', () => {
    const scene = new Scene();
    scene.draw(1, NEW);
    scene.draw(2, OLD);
    scene.end(2, OUTCOME_FAULT);
    scene.sweepAt(300);
    expect(scene.take().rows).toEqual([]);
    scene.sweepAt(400);
    expect(scene.take().rows).toEqual([{ era: ERA, 'old.fault': 1, 'new.ok': 1 }]);
    scene.end(1, OUTCOME_FAULT);
    expect(scene.take().rows).toEqual([{ era: ERA, 'new.lateFault': 1 }]);
  });

  test('a fault is urgent when it is let go, not before', () => {
    const scene = new Scene();
    scene.draw(1, OLD);
    scene.draw(2, NEW);
    scene.end(2, OUTCOME_FAULT);
    expect(scene.urgent).toBe(0);
    scene.end(1, OUTCOME_OK);
    expect(scene.urgent).toBe(1);
  });

  test('a fault of old is not urgent: it speaks for new, and can wait', () => {
    const scene = new Scene();
    scene.draw(1, OLD);
    scene.end(1, OUTCOME_FAULT);
    expect(scene.urgent).toBe(0);
    expect(scene.take().rows).toEqual([{ era: ERA, 'old.fault': 1 }]);
  });

  test('more requests under way than there is room for: the oldest are taken for overdue, none is lost', () => {
    const scene = new Scene();
    const many = 70_000;
    for (let id = 0; id < many; id++) scene.draw(id, id % 10 === 0 ? NEW : OLD);
    for (let id = 0; id < many; id++) scene.end(id, OUTCOME_OK);
    expect(scene.take().rows).toEqual([{ era: ERA, 'old.ok': many * 0.9, 'new.ok': many * 0.1 }]);
  });
});

describe('what is counted', () => {
  test('each response with the weight it was drawn with', () => {
    const scene = new Scene();
    scene.draw(1, NEW);
    scene.draw(2, NEW, NEXT_ERA);
    scene.end(1, OUTCOME_FAULT);
    scene.end(2, OUTCOME_OK);
    const { rows } = scene.take();
    expect(rows).toHaveLength(2);
    expect(rows).toEqual(
      expect.arrayContaining([
        { era: ERA, 'new.fault': 1 },
        { era: NEXT_ERA, 'new.ok': 1 },
      ]),
    );
  });

  test('one that the client gave up proves nothing, and holds nobody up', () => {
    const scene = new Scene();
    scene.draw(1, NEW);
    scene.draw(2, NEW);
    scene.end(2, OUTCOME_OK);
    scene.end(1, OUTCOME_CANCELLED);
    expect(scene.take().rows).toEqual([{ era: ERA, 'new.ok': 1 }]);
  });

  test('slow is above the bound of the own side, and known only with bounds', () => {
    const scene = new Scene();
    scene.draw(1, OLD);
    scene.nowMs = 500;
    scene.end(1, OUTCOME_OK);
    expect(scene.take()).toMatchObject({ rows: [{ era: ERA, 'old.ok': 1 }], latencies: 1 });
    scene.tally.setBounds({ old: [10, 20, 30], new: [35, 45, 55] });
    scene.draw(0, OLD);
    scene.draw(1, NEW);
    scene.nowMs += 40;
    for (const id of [0, 1]) scene.end(id, OUTCOME_OK);
    const both = { 'old.ok': 1, 'old.timed': 1, 'new.ok': 1, 'new.timed': 1 };
    expect(scene.take().rows).toEqual([
      { era: ERA, ...both, 'old.slow50': 1, 'old.slow90': 1, 'old.slow99': 1, 'new.slow50': 1 },
    ]);
  });

  test('what old does not answer is not quick, so that new is not slow beside it; what new does not answer is no slow answer', () => {
    const scene = new Scene();
    scene.draw(1, OLD);
    scene.fail(1);
    expect(scene.take().rows).toEqual([{ era: ERA, 'old.fault': 1 }]);
    scene.tally.setBounds({ old: [10, 20, 30], new: [35, 45, 55] });
    scene.draw(2, OLD);
    scene.draw(3, NEW);
    scene.fail(2);
    scene.fail(3);
    expect(scene.take().rows).toEqual([
      {
        era: ERA,
        'old.fault': 1,
        'old.timed': 1,
        'old.slow50': 1,
        'old.slow90': 1,
        'old.slow99': 1,
        'new.fault': 1,
        'new.timed': 1,
      },
    ]);
  });

  test('what was drawn before bounds were known is in no slow stream, however late it ends', () => {
    const scene = new Scene();
    scene.draw(1, NEW);
    scene.sweepAt(400);
    expect(scene.take().rows).toEqual([{ era: ERA, 'new.ok': 1 }]);
    scene.draw(2, NEW);
    scene.tally.setBounds({ old: [10, 20, 30], new: [35, 45, 55] });
    scene.draw(3, NEW);
    scene.nowMs = 600;
    for (const id of [1, 2, 3]) scene.watch(id);
    for (const id of [1, 2, 3]) scene.end(id, OUTCOME_OK);
    expect(scene.take().rows).toEqual([
      { era: ERA, 'new.ok': 2, 'new.timed': 1, 'new.slow50': 1, 'new.slow90': 1, 'new.slow99': 1 },
    ]);
  });

  test('a request that hangs is slow before it times out, and counted slow once', () => {
    const scene = new Scene();
    scene.tally.setBounds({ old: [10, 20, 30], new: [35, 45, 600] });
    scene.draw(1, NEW);
    for (const nowMs of [100, 200, 300, 400]) {
      scene.nowMs = nowMs;
      scene.watch(1);
      scene.sweepAt(nowMs);
    }
    const early = { 'new.ok': 1, 'new.timed': 1, 'new.slow50': 1, 'new.slow90': 1 };
    expect(scene.take().rows).toEqual([{ era: ERA, ...early }]);
    scene.nowMs = 700;
    scene.watch(1);
    // To the other two it was slow already: nothing more is said to them.
    expect(scene.take().rows).toEqual([{ era: ERA, 'new.lateSlow99': 1 }]);
    scene.nowMs = 5_000;
    scene.watch(1);
    scene.end(1, OUTCOME_FAULT);
    expect(scene.take().rows).toEqual([{ era: ERA, 'new.lateFault': 1 }]);
  });
});

describe('suspicion', () => {
  test('three connections in a row that the new side did not take, and no sooner', () => {
    const scene = new Scene();
    const fail = (): void => scene.tally.connected(NEW, false);
    fail();
    fail();
    scene.tally.connected(NEW, true);
    fail();
    fail();
    for (let i = 0; i < 5; i++) scene.tally.connected(OLD, false);
    expect([scene.tally.takeSuspicion(), scene.urgent]).toEqual([false, 0]);
    fail();
    expect([scene.tally.takeSuspicion(), scene.tally.takeSuspicion(), scene.urgent]).toEqual([true, false, 1]);
  });
});

describe('keys of a sticky route', () => {
  test('are told of once a window', () => {
    const scene = new Scene(true);
    scene.tally.setWindows([7, 1]);
    for (const [id, hash] of [5, 5, 6, NO_KEY, NO_KEY].entries()) {
      scene.draw(id, NEW, ERA, hash);
      scene.end(id, OUTCOME_OK);
    }
    expect(scene.take().sightings).toEqual(['5 new.ok', '6 new.ok', '-1 new.ok', '-1 new.ok']);
    scene.tally.setWindows([8, 1]);
    scene.draw(9, NEW, ERA, 5);
    scene.end(9, OUTCOME_FAULT);
    expect(scene.take()).toMatchObject({ sightings: ['5 new.fault'], rows: [{ 'new.fault': 1 }] });
  });
});
