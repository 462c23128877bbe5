import { CLEAR, QUIET_MS, REFRESH_MS, type Screen } from '../registry/progress.ts';

/** Says what a run is at, where that takes longer than a second and a person looks on. */
export interface Progress {
  /** Shows the step while the work goes on. */
  during<T>(step: string, work: () => Promise<T>): Promise<T>;
}

/** Shows steps on a screen: one line, which is taken away in the end. */
export function progressOn(screen: Screen): Progress {
  return {
    async during(step, work) {
      if (!screen.isTerminal) return work();
      const start = screen.now();
      let shown = false;
      const stop = screen.every(REFRESH_MS, () => {
        const seconds = Math.floor((screen.now() - start) / 1000);
        if (seconds * 1000 < QUIET_MS) return;
        screen.write(`${CLEAR}${step}, ${seconds} s`);
        shown = true;
      });
      try {
        return await work();
      } finally {
        stop();
        if (shown) screen.write(CLEAR);
      }
    },
  };
}
