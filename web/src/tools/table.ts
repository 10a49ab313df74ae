/** The tools of the desk: one table, which the toolbar, the keys, the help and the hints read. */
import type { IconName } from "../ui/Icon";

/** What a tool is set to, as far as it decides what is drawn with it. */
export interface Setting {
  region: { use: "edit" | "drag" | "blend" };
  target: { role: "target" | "source" };
}

/** What a tool draws, as far as it decides what a model must be able to do for it. */
export interface Drawn {
  kind: string;
  form?: string;
  role?: string;
}

interface Entry {
  name: string;
  icon: IconName;
  /** What it is called, and what it is for. */
  title: string;
  purpose: string;
  /** How the list of keys calls it, where the title does not say enough. */
  listed?: string;
  /** A letter, in lower case. */
  key: string;
  /** What a hand does with it. */
  hint: string;
  draws(setting: Setting): Drawn | null;
}

const nothing = () => null;
const path = (form: string) => () => ({ kind: "trajectory", form });
const content = () => ({ kind: "content" });

const GROUPS = [
  [
    {
      name: "select",
      icon: "select",
      title: "Select",
      purpose: "move and change what is drawn",
      key: "v",
      hint: "Drag a thing to move it at this frame; drag its line to move the whole path.",
      draws: nothing,
    },
    {
      name: "hand",
      icon: "hand",
      title: "Hand",
      purpose: "move the view",
      listed: "hand (move the view)",
      key: "h",
      hint: "Drag to move the view. With any other tool, hold Space.",
      draws: nothing,
    },
  ],
  [
    {
      name: "box",
      icon: "box",
      title: "Box path",
      purpose: "a subject stays in a box that moves",
      key: "r",
      hint: "Drag to draw a box around the thing. Then go to another frame and move it there, or record its motion.",
      draws: path("box"),
    },
    {
      name: "point",
      icon: "point",
      title: "Point path",
      purpose: "a subject follows the line you draw",
      key: "p",
      hint: "Draw the path of the thing's centre in one stroke; it spans the whole clip.",
      draws: path("point"),
    },
    {
      name: "pin",
      icon: "pin",
      title: "Pin",
      purpose: "what is here stays still",
      key: "i",
      hint: "Click a spot that should stay where it is.",
      draws: path("point"),
    },
    {
      name: "drag",
      icon: "drag",
      title: "Drag",
      purpose: "pull something in the picture to another place",
      key: "d",
      hint: "Press on the picture and pull: what is under the pointer follows.",
      draws: path("drag"),
    },
  ],
  [
    {
      name: "brush",
      icon: "brush",
      title: "Brush",
      purpose: "paint, and the model turns the paint into something real",
      key: "b",
      hint: "Paint on the picture; the model turns the paint into something real.",
      draws: content,
    },
    {
      name: "eraser",
      icon: "eraser",
      title: "Eraser",
      purpose: "remove paint",
      key: "e",
      hint: "Erase paint.",
      draws: content,
    },
    {
      name: "region",
      icon: "region",
      title: "Region",
      purpose: "outline a part to edit, drag or blend",
      key: "l",
      hint: "Draw around what should change.",
      draws: ({ region: { use } }) =>
        use === "edit" ? content() : use === "drag" ? { kind: "trajectory", form: "drag" } : null,
    },
    {
      name: "target",
      icon: "target",
      title: "Target",
      purpose: "mark the one thing that the words mean",
      key: "t",
      hint: "Draw around the one thing that the words mean.",
      draws: ({ target: { role } }) => ({ kind: "target", role }),
    },
  ],
] as const satisfies readonly (readonly Entry[])[];

export type ToolName = (typeof GROUPS)[number][number]["name"];
export type ToolEntry = Entry & { name: ToolName };

export const TOOL_GROUPS: readonly (readonly ToolEntry[])[] = GROUPS;
const ALL: readonly ToolEntry[] = TOOL_GROUPS.flat();

/** The tool of that name. */
export const toolNamed = (name: ToolName): ToolEntry => ALL.find((entry) => entry.name === name) as ToolEntry;

/** The tool that a key takes into the hand. */
export const toolOfKey = (key: string): ToolName | null =>
  ALL.find((entry) => entry.key === key)?.name ?? null;

/** A tool's name and purpose, as its button says them. */
export const labelOf = ({ title, purpose }: ToolEntry): string => `${title}: ${purpose}`;

/** A group of tools in the list of keys. */
export function listed(group: readonly ToolEntry[]): { keys: string; says: string } {
  const called = group.map((entry) => entry.listed ?? entry.title.toLowerCase()).join(", ");
  return {
    keys: group.map(({ key }) => key.toUpperCase()).join("  "),
    says: called.charAt(0).toUpperCase() + called.slice(1),
  };
}
