/** The keys of the desk, in words. */
import { listed, TOOL_GROUPS } from "../tools/table";

export interface Shortcut {
  keys: string;
  says: string;
}

export const SHEET: readonly { title: string; shortcuts: readonly Shortcut[] }[] = [
  {
    title: "Run",
    shortcuts: [
      { keys: "Ctrl Enter", says: "The highlighted button: new take, pause, resume or branch" },
      { keys: "Ctrl Shift Enter", says: "New take, from step 0" },
      { keys: "Ctrl Alt Enter", says: "Branch, from the step on the stage" },
      { keys: "Ctrl .", says: "Cancel the take that runs or waits" },
      { keys: "Alt ←  Alt →", says: "Look at the step before, the step after" },
      { keys: "C", says: "Compare with the take it came from, or the newest; again: end" },
    ],
  },
  {
    title: "Clip",
    shortcuts: [
      { keys: "Space", says: "Play or stop the clip" },
      { keys: ",  .", says: "One frame back, on" },
      { keys: "Home  End", says: "First frame, last frame" },
      { keys: "[  ]", says: "Keyframe before, after; handle or target of a drag" },
      { keys: "K", says: "Set a keyframe here" },
      { keys: "M", says: "Record a motion: your next drag of a box or point becomes its path" },
      { keys: "O", says: "Onion skin" },
    ],
  },
  {
    title: "Tools",
    shortcuts: [
      ...TOOL_GROUPS.map(listed),
      {
        keys: "Enter",
        says: "Draw with the tool in the middle of the stage, without a mouse",
      },
      { keys: "Escape", says: "Cancel what is being drawn, then deselect" },
    ],
  },
  {
    title: "Stage",
    shortcuts: [
      { keys: "Arrows", says: "Nudge a path at this frame, a drag end, a region; Shift: ten times" },
      { keys: "Shift-drag", says: "Move a path as a whole; so does dragging its line" },
      { keys: "Ctrl Arrows", says: "Nudge a path as a whole" },
      { keys: "Tab  Shift Tab", says: "On the stage: select the next, the previous thing" },
      { keys: "Delete", says: "Delete the keyframe or instruction" },
      { keys: "+  −  0", says: "Zoom in, out, show all" },
      { keys: "Space-drag, wheel", says: "Move the view, zoom" },
      { keys: "S  X", says: "Snapping; show or hide what is drawn" },
    ],
  },
  {
    title: "Everywhere",
    shortcuts: [
      { keys: "Ctrl Z  Ctrl Shift Z", says: "Undo, redo: edits, and takes you deleted, pinned or renamed" },
      { keys: "/", says: "Write the prompt" },
      { keys: "?", says: "These shortcuts" },
    ],
  },
];
