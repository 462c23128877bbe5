import { CLEAR, QUIET_MS, REFRESH_MS, type Screen } from '../registry/progress.ts';

/** Says what a run is at, where that takes longer than a second and a person looks on. */
export interface Progress {
  /** Shows the step while the work goes on. */
  during<T>(step: string, work: () => Promise<T>): Promise<T>;
  /** The same of work that never waits, and so says itself how far it is. */
  counting<T>(step: (count: number) => string, work: (tick: (count: number) => void) => T): T;
}

/** Shows steps on a screen: one line, which is taken away in the end. */
export function progressOn(screen: Screen): Progress {
  return {
    async during(step, work) {
      if (!screen.isTerminal) return work();
      const line = newLine(screen);
      const stop = screen.every(REFRESH_MS, () => line.show((seconds) => `${step}, ${seconds} s`));
      try {
        return await work();
      } finally {
        stop();
        line.clear();
      }
    },
    counting(step, work) {
      if (!screen.isTerminal) return work(() => undefined);
      const line = newLine(screen);
      try {
        return work((count) => line.show(() => step(count)));
      } finally {
        line.clear();
      }
    },
  };
}

/** A line that is quiet at first, and then anew a few times a second at most. */
function newLine(screen: Screen) {
  const start = screen.now();
  let next = start + QUIET_MS;
  let isShown = false;
  return {
    show(text: (seconds: number) => string): void {
      const now = screen.now();
      if (now < next) return;
      screen.write(CLEAR + text(Math.floor((now - start) / 1000)));
      isShown = true;
      next = now + REFRESH_MS;
    },
    clear(): void {
      if (isShown) screen.write(CLEAR);
    },
  };
}
