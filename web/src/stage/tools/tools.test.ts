import { produce } from "immer";
import { beforeEach, describe, expect, it } from "vitest";
import { toScreen, type View } from "../../canvas/view";
import { timeOf } from "../../document/keyframes";
import { EXAMPLE, instructionsOf, isBoxPath, isDrag, type Point, type Shot } from "../../document/shot";
import type { Selection } from "../../document/store";
import { sessionNow, setSession } from "../../session/session";
import type { ToolName } from "../../tools/table";
import { TOOLS } from "./index";
import { strokeOf } from "./paint";
import { placeWithoutPointer } from "./placing";
import { markTarget, putTarget, useRegion } from "./regions";
import type { Pointer, Recipe, Tool, Workbench } from "./tool";

const VIEW: View = { x: 0, y: 0, width: 500, height: 500 };

/** A workbench without a page: counts commands, applies them to a document of its own. */
class Bench implements Workbench {
  commands: string[] = [];
  drafts = 0;
  time = 0;
  readonly frames = 16;
  readonly view = VIEW;
  private drafted: [string, Recipe] | null = null;

  constructor(
    public shot: Shot,
    public selection: Selection | null = null,
  ) {}

  draft(label: string, recipe: Recipe): void {
    this.drafts++;
    this.drafted = [label, recipe];
  }
  commit(): void {
    if (this.drafted) this.perform(...this.drafted);
    this.drafted = null;
  }
  perform(label: string, recipe: Recipe): void {
    this.commands.push(label);
    let chosen: Selection | null | undefined;
    this.shot = produce(this.shot, (draft) => {
      chosen = recipe(draft as Shot);
    });
    if (chosen !== undefined) this.selection = chosen;
  }
  select(selection: Selection | null): void {
    this.selection = selection;
  }
  scrubTo(time: number): void {
    this.time = time;
  }
  told: string | null = null;
  tell(sentence: string): void {
    this.told = sentence;
  }
  showGuides(): void {}
  showLine(): void {}
  showStroke(): void {}
  pan(): void {}
}

const pointer = (at: Point, change: Partial<Pointer> = {}): Pointer => ({
  at,
  screen: toScreen(VIEW, at),
  pressure: null,
  shift: false,
  alt: false,
  free: true,
  when: 0,
  finger: false,
  ...change,
});

function gesture(bench: Bench, tool: Tool, places: Point[], change: Partial<Pointer> = {}): void {
  const [first, ...rest] = places.map((place) => pointer(place, change));
  const made = tool.press(bench, first as Pointer);
  for (const place of rest) made?.move(place);
  made?.end((rest.at(-1) ?? first) as Pointer);
}

const EMPTY: Shot = { ...EXAMPLE, instructions: [] };

beforeEach(() => setSession({ phrase: null, snapping: true, recording: false }));

describe("a gesture", () => {
  it("is one command at its end, however far it goes", () => {
    const bench = new Bench(EMPTY);
    gesture(bench, TOOLS.box, [
      [0.1, 0.1],
      [0.2, 0.2],
      [0.3, 0.3],
      [0.4, 0.5],
    ]);
    expect(bench.commands).toEqual(["Draw a box"]);
    expect(bench.drafts).toBe(3);
  });

  it("does nothing where it goes nowhere", () => {
    for (const tool of ["box", "drag", "region", "select"] as const) {
      const bench = new Bench(EMPTY);
      gesture(bench, TOOLS[tool], [
        [0.5, 0.5],
        [0.502, 0.5],
      ]);
      expect(bench.commands).toEqual([]);
    }
  });
});

describe("paths", () => {
  it("are for the words chosen in the prompt, once", () => {
    setSession({ phrase: "red ball" });
    const bench = new Bench(EMPTY);
    gesture(bench, TOOLS.box, [
      [0.1, 0.1],
      [0.4, 0.4],
    ]);
    const [path] = instructionsOf(bench.shot);
    expect(isBoxPath(path) && path.phrase).toBe("red ball");
    expect(sessionNow().phrase).toBeNull();
  });

  it("are moved at the frame that is shown, by the tool that drew them too", () => {
    const bench = new Bench(EMPTY);
    gesture(bench, TOOLS.box, [
      [0.1, 0.1],
      [0.3, 0.3],
    ]);
    bench.time = timeOf(6, 16);
    gesture(bench, TOOLS.box, [
      [0.2, 0.2],
      [0.5, 0.2],
    ]);
    const [path] = instructionsOf(bench.shot);
    if (!isBoxPath(path)) throw new Error("no box path");
    expect(path.path.keyframes).toEqual([
      { time: 0, box: [0.1, 0.1, 0.3, 0.3] },
      { time: 0.4, box: [0.4, 0.1, 0.6, 0.3] },
    ]);
    expect(bench.told).toBe("Frame 7: a new keyframe");
    expect(bench.commands).toEqual(["Draw a box", "Move Whatever is in the box at frame 7"]);
  });

  it("begin at the frame where they are drawn", () => {
    for (const tool of ["box", "point", "pin"] as const) {
      const bench = new Bench(EMPTY);
      bench.time = timeOf(3, 16);
      if (tool === "box")
        gesture(bench, TOOLS.box, [
          [0.1, 0.1],
          [0.3, 0.3],
        ]);
      else gesture(bench, TOOLS[tool], [[0.5, 0.5]]);
      expect(instructionsOf(bench.shot)).toMatchObject([{ path: { keyframes: [{ time: 0.2 }] } }]);
    }
  });

  it("are recorded in the hand's pace, once, and the stage goes back to where it was", () => {
    setSession({ recording: true });
    const bench = new Bench(EXAMPLE, { instruction: 0, part: null });
    bench.time = timeOf(3, 16);
    const at = (i: number, when: number) => pointer([0.24 + 0.04 * i, 0.45], { when });
    const made = TOOLS.select.press(bench, at(0, 0));
    for (let i = 1; i <= 12; i++) made?.move(at(i, 1000 + i * 100));
    made?.end(at(12, 2200));
    const [path] = instructionsOf(bench.shot);
    if (!isBoxPath(path)) throw new Error("no box path");
    expect(path.path.keyframes.map(({ time }) => time)).toEqual([0, 0.2, 1]);
    expect(bench.time).toBe(timeOf(3, 16));
    expect(sessionNow().recording).toBe(false);
    expect(bench.commands).toEqual(["Record the motion of red ball"]);
  });

  it("a recording that is dropped does nothing", () => {
    setSession({ recording: true });
    const bench = new Bench(EXAMPLE, { instruction: 0, part: null });
    const made = TOOLS.box.press(bench, pointer([0.2, 0.5]));
    made?.move(pointer([0.5, 0.5], { when: 100 }));
    expect(bench.time).toBe(1);
    made?.cancel?.();
    expect(bench.time).toBe(0);
    expect(bench.commands).toEqual([]);
  });

  it("are taken where they stand, though another keyframe lies there too", () => {
    // At frame 2 the box still covers the first keyframe's dot.
    const bench = new Bench(EXAMPLE, { instruction: 0, part: null });
    bench.time = timeOf(1, 16);
    gesture(bench, TOOLS.select, [
      [0.21, 0.57],
      [0.21, 0.67],
    ]);
    const [path] = instructionsOf(bench.shot);
    if (!isBoxPath(path)) throw new Error("no box path");
    expect(path.path.keyframes[0]).toEqual({ time: 0, box: [0.06, 0.42, 0.36, 0.72] });
    expect(path.path.keyframes[1]?.time).toBeCloseTo(timeOf(1, 16), 3);
  });

  it("move whole by their line", () => {
    const bench = new Bench(EXAMPLE, { instruction: 0, part: null });
    gesture(bench, TOOLS.select, [
      [0.425, 0.35],
      [0.425, 0.45],
    ]);
    const [path] = instructionsOf(bench.shot);
    if (!isBoxPath(path)) throw new Error("no box path");
    expect(path.path.keyframes.map(({ box }) => box[1])).toEqual([0.52, 0.22, 0.52]);
    expect(bench.told).toBe("The whole path, at every frame");
  });

  it("leave most of a small box for moving it", () => {
    const small = produce(EXAMPLE, (draft) => {
      const path = instructionsOf(draft)[0];
      if (isBoxPath(path)) path.path.keyframes = [{ time: 0, box: [0.5, 0.5, 0.54, 0.54] }];
    });
    const bench = new Bench(small, { instruction: 0, part: null });
    gesture(bench, TOOLS.select, [
      [0.52, 0.52],
      [0.62, 0.52],
    ]);
    expect(instructionsOf(bench.shot)).toMatchObject([
      { path: { keyframes: [{ box: [0.6, 0.5, 0.64, 0.54] }] } },
    ]);
  });

  it("get a keyframe where they are moved at another time; Shift moves them whole", () => {
    const bench = new Bench(EXAMPLE, { instruction: 0, part: null });
    bench.time = 0.25;
    gesture(bench, TOOLS.select, [
      [0.36, 0.55],
      [0.36, 0.45],
    ]);
    const [path] = instructionsOf(bench.shot);
    expect(isBoxPath(path) && path.path.keyframes.length).toBe(4);
    const whole = new Bench(EXAMPLE, { instruction: 0, part: null });
    gesture(
      whole,
      TOOLS.select,
      [
        [0.12, 0.6],
        [0.12, 0.7],
      ],
      { shift: true },
    );
    const [moved] = instructionsOf(whole.shot);
    if (!isBoxPath(moved)) throw new Error("no box path");
    expect(moved.path.keyframes.map(({ box }) => box[1])).toEqual([0.52, 0.22, 0.52]);
  });

  it("a pin is a point at rest", () => {
    const bench = new Bench(EMPTY);
    gesture(bench, TOOLS.pin, [[0.7, 0.6]]);
    expect(instructionsOf(bench.shot)).toMatchObject([
      { form: "point", path: { keyframes: [{ point: [0.7, 0.6] }] } },
    ]);
  });
});

describe("drags", () => {
  it("join the drag that is selected", () => {
    const bench = new Bench(EMPTY);
    gesture(bench, TOOLS.drag, [
      [0.2, 0.2],
      [0.4, 0.2],
    ]);
    gesture(bench, TOOLS.drag, [
      [0.7, 0.7],
      [0.7, 0.5],
    ]);
    const [drag] = instructionsOf(bench.shot);
    expect(isDrag(drag) && drag.moves).toHaveLength(2);
    expect(instructionsOf(bench.shot)).toHaveLength(1);
  });

  it("take what was outlined for them", () => {
    setSession({ region: { shape: "box", use: "drag" } });
    const bench = new Bench(EMPTY);
    gesture(bench, TOOLS.region, [
      [0.1, 0.1],
      [0.3, 0.3],
      [0.5, 0.5],
    ]);
    expect(bench.commands).toEqual([]);
    expect(sessionNow().tool).toBe("drag");
    expect(sessionNow().dragRegion).toEqual({ box: [0.1, 0.1, 0.5, 0.5] });
    gesture(bench, TOOLS.drag, [
      [0.3, 0.3],
      [0.6, 0.3],
    ]);
    expect(instructionsOf(bench.shot)).toMatchObject([
      { form: "drag", region: { box: [0.1, 0.1, 0.5, 0.5] } },
    ]);
    // The outline is spent; the next drag finds its own.
    expect(sessionNow().dragRegion).toBeNull();
  });
});

describe("paint", () => {
  const settings = { colour: "#c0392b", width: 0.06, opacity: 0.5 };
  const samples = Array.from({ length: 20 }, (_, i) => ({ at: [i / 20, 0.5] as Point, pressure: i / 20 }));

  it("keeps one pressure for each point, and none where the device has none", () => {
    const pressed = strokeOf(samples, settings, 1, false);
    expect(pressed.pressure).toHaveLength(pressed.points.length);
    expect(
      strokeOf(
        samples.map(({ at }) => ({ at, pressure: null })),
        settings,
        1,
        false,
      ).pressure,
    ).toBeUndefined();
  });

  it("reaches from the first to the last place", () => {
    const { points } = strokeOf(samples, settings, 2, false);
    expect(points[0]?.[0]).toBeCloseTo(0, 1);
    expect(points.at(-1)?.[0]).toBeCloseTo(0.95, 1);
  });

  it("goes on one paint; the eraser takes it from there", () => {
    const bench = new Bench(EMPTY);
    gesture(bench, TOOLS.eraser, [
      [0.5, 0.5],
      [0.6, 0.5],
    ]);
    expect(bench.commands).toEqual([]);
    for (const tool of ["brush", "brush", "eraser"] as const)
      gesture(bench, TOOLS[tool], [
        [0.1, 0.1],
        [0.5, 0.5],
        [0.9, 0.5],
      ]);
    const [paint] = instructionsOf(bench.shot);
    expect(paint?.kind === "content" && paint.strokes?.map(({ erase }) => erase ?? false)).toEqual([
      false,
      false,
      true,
    ]);
  });
});

describe("regions", () => {
  it("start out with the shot's own prompt, or go to the edit that is selected", () => {
    const shot = produce(EMPTY, (draft) => {
      const first = useRegion(draft, null, { box: [0, 0, 0.5, 0.5] }, "edit");
      useRegion(draft, first, { box: [0, 0, 0.25, 0.25] }, "edit");
    });
    expect(instructionsOf(shot)).toEqual([
      { kind: "content", prompt: EMPTY.prompt, mask: { box: [0, 0, 0.25, 0.25] } },
    ]);
  });

  it("are set corner by corner by clicks, and closed by a double click, the first corner, or Enter", () => {
    setSession({ region: { shape: "lasso", use: "edit" } });
    const corners: Point[] = [
      [0.2, 0.2],
      [0.6, 0.2],
      [0.4, 0.6],
    ];
    for (const ending of ["double click", "first corner", "Enter", "Escape"]) {
      const bench = new Bench(EMPTY);
      const made = TOOLS.region.press(bench, pointer(corners[0] as Point));
      made?.end(pointer(corners[0] as Point));
      expect(made?.goesOn?.()).toBe(true);
      for (const corner of corners.slice(1)) {
        made?.move(pointer(corner));
        made?.again?.(pointer(corner));
        made?.end(pointer(corner));
      }
      if (ending === "double click") made?.again?.(pointer(corners[2] as Point));
      if (ending === "first corner") made?.again?.(pointer(corners[0] as Point));
      if (ending === "Enter") made?.finish?.();
      expect(made?.goesOn?.()).toBe(ending === "Escape");
      expect(instructionsOf(bench.shot)).toMatchObject(
        ending === "Escape" ? [] : [{ kind: "content", mask: { polygon: corners } }],
      );
    }
  });

  it("mark one target of each role", () => {
    const mask = { box: [0, 0, 0.5, 0.5] as [number, number, number, number] };
    const shot = produce(EMPTY, (draft) => {
      for (const role of ["target", "target", "source"] as const) markTarget(draft, mask, role, "red ball");
    });
    expect(instructionsOf(shot)).toHaveLength(2);
  });

  it("ask what a mark is of that was drawn before any words were chosen, and do not guess", () => {
    const bench = new Bench(EMPTY);
    setSession({ phrase: null, asking: null });
    putTarget(bench, { box: [0, 0, 0.5, 0.5] });
    expect(instructionsOf(bench.shot)).toMatchObject([{ kind: "target", phrase: "" }]);
  });
});

describe("without a pointer", () => {
  const placed = (tool: ToolName) => {
    const bench = new Bench(EMPTY);
    expect(placeWithoutPointer(bench, tool)).toBe(true);
    expect(bench.commands).toHaveLength(1);
    expect(bench.selection?.instruction).toBe(0);
    return instructionsOf(bench.shot)[0];
  };

  it("every tool that draws puts its thing in the middle", () => {
    setSession({ region: { shape: "lasso", use: "edit" }, target: { shape: "lasso", role: "source" } });
    const box = [0.35, 0.35, 0.65, 0.65];
    expect(placed("box")).toMatchObject({ form: "box", path: { keyframes: [{ box }] } });
    expect(placed("point")).toMatchObject({ form: "point", path: { keyframes: [{ point: [0.5, 0.5] }] } });
    expect(placed("pin")).toMatchObject({ form: "point", path: { keyframes: [{ point: [0.5, 0.5] }] } });
    expect(placed("drag")).toMatchObject({ moves: [{ handle: [0.4, 0.5], target: [0.6, 0.5] }] });
    expect(placed("region")).toMatchObject({ kind: "content", mask: { box } });
    expect(placed("target")).toMatchObject({ kind: "target", role: "source", mask: { box } });
    const bench = new Bench(EMPTY);
    for (const tool of ["select", "hand", "brush", "eraser"] as const)
      expect(placeWithoutPointer(bench, tool)).toBe(false);
    expect(bench.commands).toEqual([]);
  });

  it("the same thing again lies beside the first", () => {
    const bench = new Bench(EMPTY);
    for (const tool of ["point", "pin", "pin", "drag", "drag"] as const) placeWithoutPointer(bench, tool);
    const said = instructionsOf(bench.shot).map((instruction) => JSON.stringify(instruction));
    expect(new Set(said).size).toBe(5);
    expect(instructionsOf(bench.shot)[2]).toMatchObject({ path: { keyframes: [{ point: [0.56, 0.56] }] } });
  });

  it("a region for a drag waits for it", () => {
    setSession({ region: { shape: "box", use: "drag" } });
    const bench = new Bench(EMPTY);
    placeWithoutPointer(bench, "region");
    expect(sessionNow().tool).toBe("drag");
    placeWithoutPointer(bench, "drag");
    expect(instructionsOf(bench.shot)).toMatchObject([{ region: { box: [0.35, 0.35, 0.65, 0.65] } }]);
    expect(sessionNow().dragRegion).toBeNull();
  });
});
