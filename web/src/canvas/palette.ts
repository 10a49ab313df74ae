/** Colours for the canvas, from the theme's CSS variables; one colour for each instruction. */
export interface Palette {
  ink: string;
  paper: string;
  accent: string;
  guide: string;
  empty: string;
  emptyLine: string;
}

/** Told apart on light and dark, also by most colour-blind eyes. */
const TRACKS = [
  "#e4572e",
  "#2a9d8f",
  "#7b6cf6",
  "#d99100",
  "#d6498f",
  "#3f88c5",
  "#6a994e",
  "#a0673a",
] as const;

export const trackColour = (index: number): string => TRACKS[index % TRACKS.length] as string;

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const read = (name: string) => style.getPropertyValue(name).trim();
  return {
    ink: read("--ink"),
    paper: read("--panel"),
    accent: read("--accent"),
    guide: read("--guide"),
    empty: read("--frame-empty"),
    emptyLine: read("--frame-line"),
  };
}
