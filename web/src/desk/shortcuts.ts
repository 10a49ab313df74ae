/** What the keys of the desk do; sheet.ts says it in words. */
import { addKeyframe, removeInstruction, removeKeyframe } from "../document/commands";
import { instructionsOf, isPath } from "../document/shot";
import { shotNow, useDocument } from "../document/store";
import { scrub, timeNow, toggle, usePlayhead } from "../session/playhead";
import { sessionNow, setSession } from "../session/session";
import { stageNow } from "../stage/current";
import { placeWithoutPointer } from "../stage/tools/placing";
import { toolOfKey } from "../tools/table";
import { nudge, toPart } from "./nudging";

const ARROWS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** What the page does for keys that need more than the desk's stores. */
export interface Acts {
  primary(): void;
  newTake(): void;
  branch(): void;
  stop(): void;
  step(by: number): void;
  compare(): void;
  help(): void;
}

const writing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    (target instanceof HTMLInputElement && target.type !== "range" && target.type !== "checkbox"));

/** What has its own use for arrow keys and Delete: lists, sliders, menus, curves, and the takes. */
const OWN_KEYS =
  "[role=option], [role^=menuitem], [role=menu], [role=slider], [role=separator], [role=tab], [role=radio], " +
  "input[type=range], .takes, dialog";

/** Where arrows and Delete mean what is selected: wherever they mean nothing of their own. */
const onDesk = (target: EventTarget | null): boolean =>
  !(target instanceof HTMLElement) || target.closest(OWN_KEYS) === null;

const onStage = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.classList.contains("stage-canvas");

function remove(): void {
  const { selection, perform } = useDocument.getState();
  if (!selection) return;
  perform(selection.part === null ? "Delete" : "Delete a keyframe", (shot) => {
    const chosen = instructionsOf(shot)[selection.instruction];
    if (selection.part !== null && isPath(chosen)) {
      const last = chosen.path.keyframes.length === 1;
      removeKeyframe(shot, selection.instruction, selection.part);
      return last ? null : { instruction: selection.instruction, part: null };
    }
    if (
      selection.part !== null &&
      chosen?.kind === "trajectory" &&
      chosen.form === "drag" &&
      chosen.moves.length > 1
    ) {
      chosen.moves.splice(selection.part, 1);
      return { instruction: selection.instruction, part: null };
    }
    removeInstruction(shot, selection.instruction);
    return null;
  });
}

/** Selects the next thing on the stage; false at the end, so that the focus moves on. */
function cycle(by: 1 | -1): boolean {
  const { selection, select } = useDocument.getState();
  const count = instructionsOf(shotNow()).length;
  const next = selection ? selection.instruction + by : by > 0 ? 0 : count - 1;
  if (next < 0 || next >= count) {
    select(null);
    return false;
  }
  select({ instruction: next, part: null });
  return true;
}

/** Answers a key; true if it was one of the desk's. */
export function answerKey(event: KeyboardEvent, acts: Acts): boolean {
  const control = event.ctrlKey || event.metaKey;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (control && key === "Enter") {
    if (event.shiftKey) acts.newTake();
    else if (event.altKey) acts.branch();
    else acts.primary();
    return true;
  }
  if (control && key === ".") {
    acts.stop();
    return true;
  }
  if (writing(event.target)) {
    if (key !== "Escape" || !(event.target instanceof HTMLTextAreaElement)) return false;
    globalThis.document.querySelector<HTMLElement>(".stage-canvas")?.focus({ preventScroll: true });
    return true;
  }
  const document = useDocument.getState();
  if (control && key === "z") {
    if (event.shiftKey) document.redo();
    else document.undo();
    return true;
  }
  if (control && key === "y") {
    document.redo();
    return true;
  }
  if (control) {
    const way = ARROWS[key];
    if (!way || !document.selection || !onDesk(event.target)) return false;
    const size = (event.shiftKey ? 10 : 1) / 128;
    nudge(way[0] * size, way[1] * size, true);
    return true;
  }
  if (event.altKey) {
    if (key !== "ArrowLeft" && key !== "ArrowRight") return false;
    acts.step(key === "ArrowRight" ? 1 : -1);
    return true;
  }
  const tool = toolOfKey(key);
  if (tool) {
    setSession({ tool });
    return true;
  }
  const { frame, frames } = usePlayhead.getState();
  const session = sessionNow();
  switch (key) {
    case ",":
      scrub(frame - 1);
      return true;
    case ".":
      scrub(frame + 1);
      return true;
    case "Home":
      scrub(0);
      return true;
    case "End":
      scrub(frames - 1);
      return true;
    case "[":
      toPart(-1);
      return true;
    case "]":
      toPart(1);
      return true;
    case "k":
      if (document.selection)
        document.perform("Set a keyframe", (shot) => {
          const instruction = document.selection?.instruction ?? -1;
          return { instruction, part: addKeyframe(shot, instruction, timeNow(), frames) };
        });
      return true;
    case "o":
      setSession({ onion: !session.onion });
      return true;
    case "s":
      setSession({ snapping: !session.snapping });
      return true;
    case "x":
      setSession({ overlays: !session.overlays });
      return true;
    case "c":
      acts.compare();
      return true;
    case "+":
    case "=":
      stageNow()?.zoomBy(1.25);
      return true;
    case "-":
      stageNow()?.zoomBy(0.8);
      return true;
    case "0":
      stageNow()?.showAll();
      return true;
    case "/": {
      globalThis.document.querySelector<HTMLTextAreaElement>(".prompt-field textarea")?.focus();
      return true;
    }
    case "?":
      acts.help();
      return true;
    case "m":
      setSession({ recording: !session.recording });
      return true;
    case "Escape":
      // The nearest thing first: a gesture, then what waits to be drawn, then the selection.
      if (stageNow()?.cancel()) return true;
      if (session.recording) setSession({ recording: false });
      else document.select(null);
      return true;
  }
  const stage = onStage(event.target);
  const arrow = ARROWS[key];
  if (arrow && onDesk(event.target)) {
    const size = (event.shiftKey ? 10 : 1) / 128;
    if (document.selection) nudge(arrow[0] * size, arrow[1] * size);
    else scrub(frame + arrow[0]);
    return true;
  }
  if ((key === "Delete" || key === "Backspace") && onDesk(event.target)) {
    remove();
    return true;
  }
  if (stage && key === "Tab") return cycle(event.shiftKey ? -1 : 1);
  const bench = stageNow();
  if (key === "Enter" && stage && bench?.finish()) return true;
  return stage && key === "Enter" && bench !== null && placeWithoutPointer(bench, session.tool);
}

/** Space pulls the stage about while it is held with the pointer down; a tap plays the clip. */
export function answerSpace(event: KeyboardEvent): boolean {
  const stage = stageNow();
  if (event.key !== " " || writing(event.target)) return false;
  // A button that the keyboard came to is pressed; one that the mouse left behind is not.
  if (event.target instanceof HTMLElement && event.target.matches("button:focus-visible, summary"))
    return false;
  if (!stage) return true;
  if (event.type === "keydown") {
    if (!stage.space) {
      stage.space = true;
      stage.spaceUsed = false;
      stage.updateCursor();
    }
  } else {
    stage.space = false;
    stage.updateCursor();
    if (!stage.spaceUsed) toggle();
  }
  return true;
}
