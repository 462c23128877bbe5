import type { Clock } from '../../registry/clock.ts';

/** A clock whose sleepers wake at once, in the order of their times; it remembers how long it was asked to sleep. */
export interface FakeClock extends Clock {
  slept: number[];
  /** Lets time pass. */
  pass(milliseconds: number): void;
}

export function fakeClock(start = Date.parse('2026-11-27T12:00:00Z'), chance = 0.5): FakeClock {
  let time = start;
  const sleepers: { at: number; wake: () => void }[] = [];
  function wakeNext(): void {
    const [next] = sleepers.toSorted((a, b) => a.at - b.at);
    if (!next) return;
    sleepers.splice(sleepers.indexOf(next), 1);
    time = Math.max(time, next.at);
    next.wake();
  }
  const clock: FakeClock = {
    slept: [],
    now: () => time,
    random: () => chance,
    sleep(milliseconds) {
      clock.slept.push(milliseconds);
      return new Promise((resolve) => {
        sleepers.push({ at: time + milliseconds, wake: resolve });
        setImmediate(wakeNext);
      });
    },
    pass(milliseconds) {
      time += milliseconds;
    },
  };
  return clock;
}
