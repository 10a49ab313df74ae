/** Sizes of the lanes, in pixels. */

/** A lane of one line. */
export const THIN = 34;
/** The lane of the take that is looked at: its steps as pictures. */
export const TALL = 64;
/** The column of names. */
export const NAMES = 190;
