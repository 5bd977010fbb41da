import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { NOWHERE, Roster } from '../../src/proxy/roster.ts';

class Member {
  place = NOWHERE;
}

test('it holds what a Set would, whoever comes and goes', () => {
  const steps = fc.array(fc.record({ comes: fc.boolean(), who: fc.nat(19) }), { maxLength: 200 });
  fc.assert(
    fc.property(steps, (all) => {
      const members = Array.from({ length: 20 }, () => new Member());
      const [roster, expected] = [new Roster<'place', Member>('place'), new Set<Member>()];
      for (const { comes, who } of all) {
        const member = members[who] as Member;
        if (comes) {
          roster.add(member);
          expected.add(member);
        } else {
          roster.remove(member);
          expected.delete(member);
        }
        expect(roster.size).toBe(expected.size);
      }
      const visited: Member[] = [];
      roster.forEach((member) => visited.push(member));
      expect(visited).toHaveLength(expected.size);
      expect(new Set(visited)).toEqual(expected);
    }),
  );
});

test('those who stay are visited, at once or part by part, whoever leaves or comes meanwhile', () => {
  const leavings = fc.array(fc.record({ at: fc.nat(19), who: fc.nat(19) }), { maxLength: 20 });
  fc.assert(
    fc.property(leavings, fc.integer({ min: 1, max: 20 }), (all, most) => {
      const members = Array.from({ length: 20 }, () => new Member());
      const roster = new Roster<'place', Member>('place');
      for (const member of members) roster.add(member);
      const visited = new Set<Member>();
      const gone = new Set<Member>();
      const visit = (member: Member): void => {
        visited.add(member);
        for (const { at, who } of all) {
          if (members[at] !== member) continue;
          gone.add(members[who] as Member);
          roster.remove(members[who] as Member);
          roster.add(new Member());
        }
      };
      for (let left = roster.size; left > 0; ) left = roster.visit(left, most, visit);
      for (const member of members) if (!gone.has(member)) expect(visited).toContain(member);
    }),
  );
});
