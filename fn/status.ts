/** The exit statuses, as `--help` documents them. */
export const DONE = 0;
export const FAILED = 1;
export const MISUSED = 2;
/** `tk-image choose` found no tag to take. */
export const NO_CHOICE = 3;
