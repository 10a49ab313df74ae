/** The picture: a frame of the viewed take, bent by drags, painted on, compared with another. */

import { layStrokes } from "../canvas/brush";
import type { FrameSource } from "../canvas/strips";
import { type DragTrajectory, instructionsOf, isDrag, type Shot } from "../document/shot";
import { bend } from "./bend";
import { GAP, type Scene } from "./scene";

type Context = CanvasRenderingContext2D;

interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

let bent: { source: FrameSource; drags: readonly DragTrajectory[]; canvas: HTMLCanvasElement } | null = null;

/** The last bend is kept: most draws change something else. */
function bentFrame(source: FrameSource, drags: readonly DragTrajectory[]): HTMLCanvasElement {
  const same =
    bent &&
    bent.source.image === source.image &&
    bent.source.x === source.x &&
    bent.source.y === source.y &&
    bent.drags.length === drags.length &&
    bent.drags.every((drag, i) => drag === drags[i]);
  if (!bent || !same) bent = { source, drags, canvas: bend(source, drags) };
  return bent.canvas;
}

function drawFrame(context: Context, source: FrameSource, to: Rectangle): void {
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  const { image, x, y, width, height } = source;
  context.drawImage(image, x, y, width, height, to.x, to.y, to.width, to.height);
}

/** The bare stage: a sheet of paper with its thirds. */
function drawEmpty(context: Context, scene: Scene, to: Rectangle): void {
  context.fillStyle = scene.palette.empty;
  context.fillRect(to.x, to.y, to.width, to.height);
  context.strokeStyle = scene.palette.emptyLine;
  context.lineWidth = 1;
  context.beginPath();
  for (const third of [1 / 3, 2 / 3]) {
    context.moveTo(to.x + third * to.width, to.y);
    context.lineTo(to.x + third * to.width, to.y + to.height);
    context.moveTo(to.x, to.y + third * to.height);
    context.lineTo(to.x + to.width, to.y + third * to.height);
  }
  context.stroke();
}

let sheet: HTMLCanvasElement | null = null;

/** All paint of the shot, on a sheet of its own so that erasing bares the picture. */
function drawPaint(context: Context, shot: Shot, to: Rectangle): void {
  const paints = instructionsOf(shot).filter(
    (instruction) => instruction.kind === "content" && instruction.strokes?.length,
  );
  if (!paints.length) return;
  sheet ??= document.createElement("canvas");
  const scale = Math.min(2, 1400 / Math.max(to.width, to.height), window.devicePixelRatio || 1);
  sheet.width = Math.max(1, Math.round(to.width * scale));
  sheet.height = Math.max(1, Math.round(to.height * scale));
  const brush = sheet.getContext("2d") as Context;
  for (const paint of paints) {
    brush.clearRect(0, 0, sheet.width, sheet.height);
    if (paint.kind === "content") layStrokes(brush, paint.strokes ?? [], sheet.width, sheet.height);
    context.drawImage(sheet, to.x, to.y, to.width, to.height);
  }
}

/** What the frame cuts off, dimly around it. */
function drawBeyond(context: Context, scene: Scene): void {
  const { view, shown, beyond } = scene;
  if (!shown || !beyond) return;
  const scale = view.width / shown.width;
  const [x, y] = [view.x - shown.x * scale, view.y - shown.y * scale];
  const [width, height] = [beyond.naturalWidth * scale, beyond.naturalHeight * scale];
  context.save();
  context.globalAlpha = 0.35;
  context.drawImage(beyond, x, y, width, height);
  context.restore();
  context.save();
  context.setLineDash([4, 4]);
  context.lineWidth = 1;
  context.strokeStyle = scene.palette.accent;
  context.strokeRect(x, y, width, height);
  context.restore();
}

export function paintPicture(context: Context, scene: Scene): void {
  const { view } = scene;
  drawBeyond(context, scene);
  context.save();
  context.shadowColor = "rgba(0, 0, 0, 0.28)";
  context.shadowBlur = 28;
  context.shadowOffsetY = 8;
  context.fillStyle = scene.palette.empty;
  context.fillRect(view.x, view.y, view.width, view.height);
  context.restore();
  context.save();
  context.beginPath();
  context.rect(view.x, view.y, view.width, view.height);
  context.clip();
  if (scene.shown) {
    const drags = scene.bending ? instructionsOf(scene.shot).filter(isDrag) : [];
    if (drags.length) {
      context.imageSmoothingEnabled = true;
      context.drawImage(bentFrame(scene.shown, drags), view.x, view.y, view.width, view.height);
    } else drawFrame(context, scene.shown, view);
  } else drawEmpty(context, scene, view);
  if (scene.strokes) drawPaint(context, scene.shot, view);
  context.restore();
  if (scene.compareMode) paintComparison(context, scene);
}

function paintComparison(context: Context, scene: Scene): void {
  const { view } = scene;
  if (scene.compareMode === "side") {
    const beside = { ...view, x: view.x + view.width * (1 + GAP) };
    if (scene.compared) drawFrame(context, scene.compared, beside);
    else drawEmpty(context, scene, beside);
    return;
  }
  const edge = view.x + scene.wipe * view.width;
  context.save();
  context.beginPath();
  context.rect(edge, view.y, view.x + view.width - edge, view.height);
  context.clip();
  if (scene.compared) drawFrame(context, scene.compared, view);
  else drawEmpty(context, scene, view);
  context.restore();
  context.strokeStyle = "#ffffff";
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(edge, view.y);
  context.lineTo(edge, view.y + view.height);
  context.stroke();
  context.fillStyle = "#ffffff";
  context.beginPath();
  context.arc(edge, view.y + view.height / 2, 13, 0, 2 * Math.PI);
  context.fill();
  context.fillStyle = "#26211c";
  for (const side of [-1, 1]) {
    context.beginPath();
    context.moveTo(edge + side * 8, view.y + view.height / 2);
    context.lineTo(edge + side * 3, view.y + view.height / 2 - 5);
    context.lineTo(edge + side * 3, view.y + view.height / 2 + 5);
    context.fill();
  }
}
