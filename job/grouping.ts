/** What changes may be grouped by: as options say it, and as an UpdateJob does. */
export const GROUPINGS = { run: 'Run', image: 'Image', workload: 'Workload', directory: 'Directory' } as const;

export type GroupBy = keyof typeof GROUPINGS;
