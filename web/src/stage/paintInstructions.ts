/** Paths, handles and regions over the picture. */

import { polygonPath, strokePath } from "../canvas/brush";
import { trackColour } from "../canvas/palette";
import { toScreen } from "../canvas/view";
import { isLoose } from "../document/binding";
import { blendOf } from "../document/blend";
import { centreOf, valueAt } from "../document/keyframes";
import {
  type BoxTrajectory,
  type DragTrajectory,
  type Instruction,
  instructionsOf,
  isBoxPath,
  isDrag,
  isPath,
  type Mask,
  nameOf,
  type PathTrajectory,
  type Point,
  type PointTrajectory,
} from "../document/shot";
import { gripsOf, trailOf } from "./hit";
import type { Scene } from "./scene";

type Context = CanvasRenderingContext2D;

/** What an instruction is called on the stage; marked where the prompt does not say its words. */
const labelOf = (scene: Scene, instruction: Instruction): string =>
  isLoose(scene.shot.prompt, instruction) ? `⚠ ${nameOf(instruction)}` : nameOf(instruction);

export function paintInstructions(context: Context, scene: Scene): void {
  if (scene.overlays)
    instructionsOf(scene.shot).forEach((instruction, index) => {
      const selected = scene.selection?.instruction === index;
      const colour = trackColour(index);
      context.save();
      if (isPath(instruction)) paintPath(context, scene, instruction, colour, selected);
      else if (isDrag(instruction)) paintDrag(context, scene, instruction, colour, selected);
      else if (instruction.kind === "content" && instruction.mask)
        paintMask(context, scene, instruction.mask, colour, selected, instruction.prompt ?? "Edit");
      else if (instruction.kind === "target")
        paintMask(context, scene, instruction.mask, colour, selected, labelOf(scene, instruction));
      context.restore();
    });
  const where = scene.overlays ? blendOf(scene.shot)?.region : null;
  if (where) paintMask(context, scene, where, scene.palette.accent, false, "The edit acts here");
  if (scene.dragRegion) paintMask(context, scene, scene.dragRegion, scene.palette.accent, true, "Drag it");
  if (scene.line) paintLine(context, scene);
  if (scene.guides) paintGuides(context, scene);
}

/** A line that stands out on any picture: light below, coloured above. */
function line(context: Context, colour: string, width: number, dash: number[] = []): void {
  context.setLineDash(dash);
  context.lineJoin = "round";
  context.lineCap = "round";
  context.strokeStyle = "rgba(255, 252, 245, 0.8)";
  context.lineWidth = width + 1.75;
  context.stroke();
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke();
  context.setLineDash([]);
}

function dot(context: Context, [x, y]: Point, radius: number, fill: string, edge: string): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = fill;
  context.fill();
  context.lineWidth = 1.5;
  context.strokeStyle = edge;
  context.stroke();
}

function label(context: Context, text: string, [x, y]: Point, colour: string): void {
  context.font = '600 11px "Inter Variable", system-ui, sans-serif';
  const shown = text.length > 28 ? `${text.slice(0, 27)}…` : text;
  const width = context.measureText(shown).width + 12;
  const top = Math.max(2, y - 21);
  context.beginPath();
  context.roundRect(x, top, width, 18, 5);
  context.fillStyle = colour;
  context.fill();
  // White on every track colour needs a darker ground.
  context.fillStyle = "rgba(0, 0, 0, 0.28)";
  context.fill();
  context.fillStyle = "#ffffff";
  context.textBaseline = "middle";
  context.fillText(shown, x + 6, top + 9.5);
}

function screenBox(scene: Scene, box: readonly number[]): [number, number, number, number] {
  const [x, y] = toScreen(scene.view, box);
  const [right, bottom] = toScreen(scene.view, box.slice(2));
  return [x, y, right - x, bottom - y];
}

function paintTrail(context: Context, scene: Scene, trajectory: PathTrajectory, colour: string): void {
  const { keyframes } = trajectory.path;
  if (keyframes.length < 2) return;
  context.beginPath();
  trailOf(trajectory).forEach((place, i) => {
    const [x, y] = toScreen(scene.view, place);
    if (i) context.lineTo(x, y);
    else context.moveTo(x, y);
  });
  line(context, colour, 2, [1, 6]);
}

function paintPath(
  context: Context,
  scene: Scene,
  trajectory: PathTrajectory,
  colour: string,
  selected: boolean,
): void {
  if (scene.onion && selected && isBoxPath(trajectory)) paintOnion(context, scene, trajectory, colour);
  paintTrail(context, scene, trajectory, colour);
  const value = valueAt(trajectory, scene.time);
  if (trajectory.form === "box") paintBox(context, scene, trajectory, value, colour, selected);
  else paintPoint(context, scene, trajectory, value, colour, selected);
  if (!selected) return;
  trajectory.path.keyframes.forEach((keyframe, i) => {
    const at = "box" in keyframe ? centreOf(keyframe.box) : (keyframe.point as Point);
    const chosen = scene.selection?.part === i;
    dot(
      context,
      toScreen(scene.view, at),
      chosen ? 6 : 4.5,
      chosen ? "#ffffff" : colour,
      chosen ? colour : "#ffffff",
    );
  });
}

/** The box at its keyframes and, where there are few, between them. */
function paintOnion(context: Context, scene: Scene, trajectory: BoxTrajectory, colour: string): void {
  context.strokeStyle = colour;
  context.lineWidth = 1;
  for (const keyframe of trajectory.path.keyframes) {
    context.globalAlpha = Math.max(0.12, 0.5 - Math.abs(keyframe.time - scene.time) * 0.5);
    context.strokeRect(...screenBox(scene, keyframe.box));
  }
  const reach = Math.max(1, Math.round(scene.frames / 8));
  for (const side of [-2, -1, 1, 2]) {
    const time = scene.time + (side * reach) / Math.max(1, scene.frames - 1);
    if (time < 0 || time > 1) continue;
    context.globalAlpha = 0.05;
    context.fillStyle = colour;
    context.fillRect(...screenBox(scene, valueAt(trajectory, time)));
  }
  context.globalAlpha = 1;
}

function paintBox(
  context: Context,
  scene: Scene,
  trajectory: BoxTrajectory,
  value: readonly number[],
  colour: string,
  selected: boolean,
): void {
  const [x, y, width, height] = screenBox(scene, value);
  context.beginPath();
  context.roundRect(x, y, width, height, 3);
  context.globalAlpha = selected ? 0.14 : 0.07;
  context.fillStyle = colour;
  context.fill();
  context.globalAlpha = 1;
  line(context, colour, selected ? 2 : 1.5);
  if (selected || trajectory.phrase) label(context, labelOf(scene, trajectory), [x, y], colour);
  if (!selected) return;
  for (const { at } of gripsOf(value)) {
    const [gx, gy] = toScreen(scene.view, at);
    context.beginPath();
    context.roundRect(gx - 4, gy - 4, 8, 8, 2);
    context.fillStyle = "#ffffff";
    context.fill();
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.stroke();
  }
}

function paintPoint(
  context: Context,
  scene: Scene,
  trajectory: PointTrajectory,
  value: readonly number[],
  colour: string,
  selected: boolean,
): void {
  const at = toScreen(scene.view, value);
  const radius = trajectory.path.radius;
  if (radius) {
    context.beginPath();
    context.arc(...at, radius * Math.min(scene.view.width, scene.view.height), 0, 2 * Math.PI);
    line(context, colour, 1, [4, 4]);
  }
  if (trajectory.path.keyframes.length === 1) {
    context.beginPath();
    context.arc(at[0], at[1] - 12, 7, 0.75 * Math.PI, 0.25 * Math.PI);
    context.lineTo(at[0], at[1]);
    context.closePath();
    context.fillStyle = colour;
    context.fill();
    line(context, selected ? "#ffffff" : colour, 1.5);
    dot(context, [at[0], at[1] - 12], 2.5, "#ffffff", "#ffffff");
  } else dot(context, at, selected ? 8 : 6.5, colour, "#ffffff");
  label(context, labelOf(scene, trajectory), [at[0] + 12, at[1] + 6], colour);
}

function paintDrag(
  context: Context,
  scene: Scene,
  drag: DragTrajectory,
  colour: string,
  selected: boolean,
): void {
  if (drag.region) paintMask(context, scene, drag.region, colour, selected, null);
  drag.moves.forEach((move, i) => {
    const from = toScreen(scene.view, move.handle);
    const to = toScreen(scene.view, move.target);
    context.beginPath();
    context.moveTo(...from);
    for (const via of move.via ?? []) context.lineTo(...toScreen(scene.view, via));
    context.lineTo(...to);
    line(context, colour, 2.5);
    const last = move.via?.at(-1);
    const angle = Math.atan2(
      ...(([x, y]: Point) => [to[1] - y, to[0] - x] as const)(last ? toScreen(scene.view, last) : from),
    );
    context.beginPath();
    context.moveTo(...to);
    for (const turn of [-0.45, 0.45])
      context.lineTo(to[0] - 13 * Math.cos(angle + turn), to[1] - 13 * Math.sin(angle + turn));
    context.closePath();
    context.fillStyle = colour;
    context.fill();
    const chosen = selected && scene.selection?.part === i ? (scene.selection.end ?? "target") : null;
    // The end that keys would move is the white one.
    const light = chosen === "handle";
    dot(context, from, chosen ? 7 : 5.5, light ? "#ffffff" : colour, light ? colour : "#ffffff");
    if (chosen === "target") dot(context, to, 5, "#ffffff", colour);
  });
}

function paintMask(
  context: Context,
  scene: Scene,
  mask: Mask,
  colour: string,
  selected: boolean,
  text: string | null,
): void {
  const { x, y, width, height } = scene.view;
  const paths: Path2D[] = [];
  if (mask.polygon) paths.push(polygonPath(mask.polygon as Point[], width, height, x, y));
  if (mask.box) {
    const path = new Path2D();
    path.rect(...screenBox(scene, mask.box));
    paths.push(path);
  }
  for (const stroke of mask.strokes ?? [])
    if (!stroke.erase) paths.push(strokePath(stroke, width, height, x, y));
  context.fillStyle = colour;
  context.strokeStyle = colour;
  for (const path of paths) {
    context.globalAlpha = selected ? 0.28 : 0.16;
    context.fill(path);
  }
  context.globalAlpha = 1;
  context.setLineDash([5, 4]);
  context.lineWidth = selected ? 2 : 1.25;
  for (const path of mask.strokes?.length ? paths.slice(0, mask.polygon || mask.box ? 1 : 0) : paths)
    context.stroke(path);
  context.setLineDash([]);
  const corner =
    mask.polygon?.reduce((a, b) => (b[1] < a[1] ? b : a)) ?? mask.box ?? mask.strokes?.[0]?.points[0];
  if (text && corner) label(context, text, toScreen(scene.view, corner), colour);
}

function paintLine(context: Context, scene: Scene): void {
  context.beginPath();
  scene.line?.forEach((point, i) => {
    const [x, y] = toScreen(scene.view, point);
    if (i) context.lineTo(x, y);
    else context.moveTo(x, y);
  });
  line(context, scene.palette.accent, 1.5, [5, 4]);
}

function paintGuides(context: Context, scene: Scene): void {
  const { guides, view, palette } = scene;
  context.strokeStyle = palette.guide;
  context.lineWidth = 1;
  context.beginPath();
  if (guides?.x != null) {
    const [x] = toScreen(view, [guides.x, 0]);
    context.moveTo(x, view.y - 12);
    context.lineTo(x, view.y + view.height + 12);
  }
  if (guides?.y != null) {
    const [, y] = toScreen(view, [0, guides.y]);
    context.moveTo(view.x - 12, y);
    context.lineTo(view.x + view.width + 12, y);
  }
  context.stroke();
}
