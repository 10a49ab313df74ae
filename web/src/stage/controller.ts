/** The stage on native Konva: three layers, one gesture at a time, the document never touched before its end. */

import { produce } from "immer";
import Konva from "konva/lib/Core";
import { Shape } from "konva/lib/Shape";
import type { Strip } from "../api/client";
import { layStrokes } from "../canvas/brush";
import { type Palette, readPalette } from "../canvas/palette";
import { type FrameSource, frameOfStrip, onPicture, picture } from "../canvas/strips";
import { tell, tellNoMore } from "../canvas/told";
import { pan, type Size, toFrame, type View, wholeFrame, zoom } from "../canvas/view";
import { clamp } from "../document/geometry";
import { frameOf } from "../document/keyframes";
import { coveringPart } from "../document/shapes";
import { instructionsOf, isDrag, type Point, type Shot, type Stroke } from "../document/shot";
import type { Guides } from "../document/snapping";
import { type Selection, shotNow, useDocument } from "../document/store";
import { scrub, stand, timeNow, usePlayhead } from "../session/playhead";
import { sessionNow, setSession, useSession } from "../session/session";
import { hitTest } from "./hit";
import { paintInstructions } from "./paintInstructions";
import { paintPicture } from "./paintPicture";
import { GAP, type Scene, showsStrokes } from "./scene";
import { TOOLS } from "./tools";
import type { Gesture, Pointer, Recipe, Workbench } from "./tools/tool";

/** What there is to see: a strip of a take, a still picture, or nothing yet. */
export interface Shown {
  strip: Strip | null;
  /** The shot's own pictures, and when in the clip each is shown. */
  stills: readonly { time: number; url: string }[];
  /** Which part of a picture of another shape covers the frame; 0.5 is its middle. */
  part: number;
  /** Whether what the frame cuts off of it is shown, dimly. */
  beyond: boolean;
  compared: Strip | null;
  /** The shot that it is of: nothing of another one stays in sight. */
  of: string | null;
  comparing: boolean;
  frame: Size;
}

interface Drafted {
  label: string;
  recipe: Recipe;
  shot: Shot;
  selection: Selection | null | undefined;
}

export class StageController implements Workbench {
  private readonly konva: InstanceType<typeof Konva.Stage>;
  private readonly layers: InstanceType<typeof Konva.Layer>[] = [];
  private readonly stop: (() => void)[] = [];
  private readonly pointers = new Map<number, Point>();
  private palette: Palette;
  private size: Size = { width: 1, height: 1 };
  private fitted = true;
  /** The strip seen last: it stays until the next one has arrived, so that nothing flickers. */
  private seen: { shown: Strip | null; compared: Strip | null } = { shown: null, compared: null };
  private asked = 0;
  private gesture: Gesture | null = null;
  private panning: Point | null = null;
  private drafted: Drafted | null = null;
  private guides: Guides | null = null;
  private line: Point[] | null = null;
  private stroke: Stroke | null = null;
  private shown: Shown = {
    strip: null,
    stills: [],
    part: 0.5,
    beyond: false,
    compared: null,
    of: null,
    comparing: false,
    frame: { width: 128, height: 128 },
  };
  view: View = { x: 0, y: 0, width: 1, height: 1 };
  /** Held for panning. */
  space = false;
  spaceUsed = false;

  constructor(private readonly container: HTMLDivElement) {
    this.konva = new Konva.Stage({ container, width: 1, height: 1, listening: false });
    this.palette = readPalette(container);
    for (const paint of [
      paintPicture,
      paintInstructions,
      (context: CanvasRenderingContext2D) => this.paintBuffer(context),
    ]) {
      const layer = new Konva.Layer({ listening: false });
      layer.add(
        new Shape({
          listening: false,
          perfectDrawEnabled: false,
          sceneFunc: (context) => paint(context._context, this.scene()),
        }),
      );
      this.konva.add(layer);
      this.layers.push(layer);
    }
    const observer = new ResizeObserver(() => this.resize());
    observer.observe(container);
    this.stop.push(
      () => observer.disconnect(),
      onPicture(() => this.refresh()),
      useDocument.subscribe(() => this.refresh()),
      usePlayhead.subscribe(() => this.refresh()),
      useSession.subscribe(({ tool }, before) => {
        if (tool !== before.tool) this.cancel();
        this.updateCursor();
        this.refresh();
      }),
    );
    this.listen();
    this.resize();
    this.updateCursor();
  }

  destroy(): void {
    for (const end of this.stop) end();
    cancelAnimationFrame(this.asked);
    this.konva.destroy();
  }

  // What tools see

  get shot(): Shot {
    return shotNow();
  }
  get selection(): Selection | null {
    return useDocument.getState().selection;
  }
  get time(): number {
    return timeNow();
  }
  get frames(): number {
    return usePlayhead.getState().frames;
  }

  draft(label: string, recipe: Recipe): void {
    let selection: Selection | null | undefined;
    const shot = produce(this.shot, (draft) => {
      selection = recipe(draft as Shot);
    });
    this.drafted = { label, recipe, shot, selection };
    this.refresh();
  }

  commit(): void {
    const { drafted } = this;
    this.drafted = null;
    if (drafted) this.perform(drafted.label, drafted.recipe);
  }

  perform(label: string, recipe: Recipe): void {
    useDocument.getState().perform(label, recipe);
  }

  select(selection: Selection | null): void {
    useDocument.getState().select(selection);
  }

  scrubTo(time: number): void {
    scrub(frameOf(time, this.frames));
  }

  tell(sentence: string): void {
    tell(sentence);
  }

  showGuides(guides: Guides | null): void {
    this.guides = guides;
    this.refresh();
  }

  showLine(points: Point[] | null): void {
    this.line = points && [...points];
    this.refresh();
  }

  showStroke(stroke: Stroke | null): void {
    this.stroke = stroke;
    this.refresh();
  }

  pan(dx: number, dy: number): void {
    this.fitted = false;
    this.view = pan(this.view, dx, dy);
    this.refresh();
  }

  // What the page asks for

  show(shown: Shown): void {
    const other = shown.frame.width / shown.frame.height !== this.shown.frame.width / this.shown.frame.height;
    const refit = other || (shown.comparing !== this.shown.comparing && this.fitted);
    if (shown.of !== this.shown.of) this.seen = { shown: null, compared: null };
    this.shown = shown;
    if (refit) this.showAll();
    this.refresh();
  }

  showAll(): void {
    const { frame, comparing } = this.shown;
    const beside = comparing && sessionNow().compareMode === "side";
    const whole = beside ? { ...frame, width: frame.width * (2 + GAP) } : frame;
    const view = wholeFrame(whole, this.size);
    this.view = beside ? { ...view, width: view.width / (2 + GAP) } : view;
    this.fitted = true;
    this.refresh();
  }

  zoomBy(factor: number, at?: Point): void {
    this.fitted = false;
    this.view = zoom(this.view, factor, at ?? [this.size.width / 2, this.size.height / 2]);
    this.refresh();
  }

  themeChanged(): void {
    this.palette = readPalette(this.container);
    this.refresh();
  }

  // Drawing

  refresh(): void {
    if (this.asked) return;
    this.asked = requestAnimationFrame(() => {
      this.asked = 0;
      for (const layer of this.layers) layer.draw();
    });
  }

  private resize(): void {
    const { clientWidth: width, clientHeight: height } = this.container;
    if (!width || !height) return;
    this.size = { width, height };
    this.konva.size(this.size);
    if (this.fitted) this.showAll();
    this.refresh();
  }

  private scene(): Scene {
    const session = sessionNow();
    const { frame, frames } = usePlayhead.getState();
    const shot = this.drafted?.shot ?? this.shot;
    const selection = this.drafted?.selection === undefined ? this.selection : this.drafted.selection;
    const { strip, compared, comparing, part } = this.shown;
    const still = strip ? null : this.stillNow(frame, frames);
    const chosen = selection ? instructionsOf(shot)[selection.instruction] : undefined;
    const overlays = session.overlays && !(comparing && session.compareMode === "wipe");
    return {
      view: this.view,
      frame: this.shown.frame,
      shot,
      selection,
      time: this.time,
      frames,
      palette: this.palette,
      overlays,
      strokes: overlays && showsStrokes(strip !== null, session.tool, shot, selection),
      onion: session.onion,
      shown: strip
        ? this.latest("shown", strip, frame)
        : still
          ? covering(still, this.shown.frame, part)
          : null,
      beyond: still && this.shown.beyond ? picture(still) : null,
      compared: compared ? this.latest("compared", compared, frame) : null,
      compareMode: comparing ? session.compareMode : null,
      wipe: session.wipe,
      guides: this.guides,
      line: this.line,
      // While it is pulled the draft has it.
      dragRegion: session.tool === "drag" && !this.drafted ? session.dragRegion : null,
      // On a take the drag has already happened; while it is pulled it is shown on the picture at hand.
      bending: (this.drafted !== null && isDrag(chosen)) || !strip,
    };
  }

  /** The picture shown last at a frame, else the first that comes. */
  private stillNow(frame: number, frames: number): string | null {
    const { stills } = this.shown;
    const ordered = [...stills].sort((one, other) => one.time - other.time);
    const shown = ordered.findLast(({ time }) => frameOf(time, frames) <= frame) ?? ordered[0];
    return shown?.url ?? null;
  }

  private latest(which: "shown" | "compared", strip: Strip, frame: number): FrameSource | null {
    const arrived = frameOfStrip(strip, frame);
    if (arrived) this.seen[which] = strip;
    const before = this.seen[which];
    return arrived ?? (before ? frameOfStrip(before, frame) : null);
  }

  private paintBuffer(context: CanvasRenderingContext2D): void {
    if (!this.stroke) return;
    const { x, y, width, height } = this.view;
    context.save();
    context.beginPath();
    context.rect(x, y, width, height);
    context.clip();
    context.translate(x, y);
    layStrokes(context, [this.stroke], width, height);
    context.restore();
  }

  // The pointer

  private listen(): void {
    const on = <K extends keyof HTMLElementEventMap>(
      name: K,
      act: (event: HTMLElementEventMap[K]) => void,
    ) => {
      this.container.addEventListener(name, act, { passive: false });
      this.stop.push(() => this.container.removeEventListener(name, act));
    };
    on("pointerdown", (event) => this.press(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.release(event));
    on("pointercancel", () => this.cancel());
    on("wheel", (event) => this.wheel(event));
    // The ring is for those who come by the keyboard.
    on("keydown", () => delete this.container.dataset.pointer);
    on("contextmenu", (event) => event.preventDefault());
  }

  private place(event: MouseEvent): Point {
    const bounds = this.container.getBoundingClientRect();
    return [event.clientX - bounds.left, event.clientY - bounds.top];
  }

  private pointer(event: PointerEvent): Pointer {
    const screen = this.place(event);
    return {
      at: toFrame(this.view, screen),
      screen,
      pressure: event.pointerType === "pen" ? event.pressure : null,
      shift: event.shiftKey,
      alt: event.altKey,
      free: event.ctrlKey || event.metaKey,
      when: event.timeStamp,
      finger: event.pointerType === "touch",
    };
  }

  private nearWipe(screen: Point): boolean {
    if (!this.shown.comparing || sessionNow().compareMode !== "wipe") return false;
    return Math.abs(this.view.x + sessionNow().wipe * this.view.width - screen[0]) < 14;
  }

  private press(event: PointerEvent): void {
    if (event.button === 2) return;
    this.container.dataset.pointer = "true";
    this.container.focus({ preventScroll: true });
    this.container.setPointerCapture(event.pointerId);
    const screen = this.place(event);
    this.pointers.set(event.pointerId, screen);
    if (this.pointers.size === 2) {
      this.cancel();
      return;
    }
    if (event.button === 1 || this.space) {
      this.panning = screen;
      this.spaceUsed = true;
      this.container.style.cursor = "grabbing";
      return;
    }
    if (this.nearWipe(screen)) {
      const { view } = this;
      this.gesture = {
        move: (pointer) => setSession({ wipe: clamp((pointer.screen[0] - view.x) / view.width, 0, 1) }),
        end() {},
      };
      return;
    }
    if (this.gesture?.again) {
      this.gesture.again(this.pointer(event));
      if (!this.gesture.goesOn?.()) this.clear();
      return;
    }
    tell(null);
    const { tool } = sessionNow();
    this.gesture = TOOLS[tool].press(this, this.pointer(event));
    // What is drawn and moved is so at one frame: a clip that plays stops there.
    if (this.gesture && tool !== "hand") stand();
  }

  private move(event: PointerEvent): void {
    const screen = this.place(event);
    const before = this.pointers.get(event.pointerId);
    if (before && this.pointers.size === 2) {
      this.pinch(event.pointerId, before, screen);
      return;
    }
    if (before) this.pointers.set(event.pointerId, screen);
    if (this.panning) {
      this.pan(screen[0] - this.panning[0], screen[1] - this.panning[1]);
      this.panning = screen;
    } else if (this.gesture) {
      for (const part of event.getCoalescedEvents?.() ?? []) this.gesture.move(this.pointer(part));
      this.gesture.move(this.pointer(event));
    } else this.updateCursor(this.pointer(event));
  }

  private pinch(id: number, before: Point, now: Point): void {
    const other = [...this.pointers.entries()].find(([key]) => key !== id)?.[1];
    if (!other) return;
    const spread = (point: Point) => Math.hypot(point[0] - other[0], point[1] - other[1]);
    this.zoomBy(spread(now) / Math.max(1, spread(before)), [
      (now[0] + other[0]) / 2,
      (now[1] + other[1]) / 2,
    ]);
    this.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    this.pointers.set(id, now);
  }

  private release(event: PointerEvent): void {
    this.pointers.delete(event.pointerId);
    if (this.panning) {
      this.panning = null;
      this.updateCursor();
      return;
    }
    this.gesture?.end(this.pointer(event));
    if (!this.gesture?.goesOn?.()) this.clear();
  }

  /** Ends a gesture of several clicks; false where there is none. */
  finish(): boolean {
    if (!this.gesture?.finish) return false;
    this.gesture.finish();
    this.clear();
    return true;
  }

  /** Drops the gesture under way; nothing is done. False where there is none. */
  cancel(): boolean {
    const dropped = this.gesture !== null || this.panning !== null;
    if (dropped) tell(null);
    this.panning = null;
    this.gesture?.cancel?.();
    this.clear();
    return dropped;
  }

  private clear(): void {
    this.gesture = null;
    this.drafted = null;
    this.guides = null;
    this.line = null;
    this.stroke = null;
    tellNoMore();
    this.refresh();
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    if (event.shiftKey) {
      this.pan(-event.deltaY - event.deltaX, 0);
      return;
    }
    const lines = event.deltaMode === 1 ? 16 : 1;
    this.zoomBy(Math.exp((-event.deltaY * lines) / (event.ctrlKey ? 120 : 480)), this.place(event));
  }

  updateCursor(pointer?: Pointer): void {
    const { tool } = sessionNow();
    let cursor = this.space ? "grab" : TOOLS[tool].cursor;
    if (pointer && !this.space) {
      if (this.nearWipe(pointer.screen)) cursor = "ew-resize";
      else if (tool === "select" || tool === "box") {
        const { screen, at, finger } = pointer;
        const hit = hitTest(this.shot, this.selection, this.time, this.view, screen, at, finger);
        const takes = tool === "select" || hit?.kind === "grip" || hit?.kind === "body";
        if (hit && takes && (tool === "select" || hit.selection.instruction === this.selection?.instruction))
          cursor = hit.kind === "grip" ? hit.grip.cursor : sessionNow().recording ? "grab" : "move";
      }
    }
    this.container.style.cursor = cursor;
  }
}

/** A picture that stands still: it covers the frame, and what reaches beyond is cut off. */
function covering(url: string, frame: Size, part: number): FrameSource | null {
  const image = picture(url);
  if (!image) return null;
  return { image, ...coveringPart({ width: image.naturalWidth, height: image.naturalHeight }, frame, part) };
}
