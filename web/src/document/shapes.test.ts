import { describe, expect, it } from "vitest";
import { numbers } from "./numbers.testing";
import { coveringPart, cutOf, RATIOS, shapeName, sizeOf } from "./shapes";

describe("the size of a shape", () => {
  it("is made of multiples, near the shape and the number of pixels, for any model", () => {
    for (const [side, multiple] of [
      [128, 8],
      [64, 16],
      [512, 8],
      [480, 16],
      [576, 64],
    ] as const)
      for (const [w, h] of RATIOS) {
        const size = sizeOf(w / h, side * side, multiple);
        expect(size.width % multiple).toBe(0);
        expect(size.height % multiple).toBe(0);
        const pixels = (size.width * size.height) / side ** 2;
        expect(pixels).toBeGreaterThan(0.5);
        expect(pixels).toBeLessThanOrEqual(1.25);
        // As near as the grid lets it be.
        const off = Math.abs(Math.log(size.width / size.height / (w / h)));
        expect(off).toBeLessThan((0.8 * multiple) / Math.min(size.width, size.height));
      }
  });

  it("is the model's own for its own shape, and for shapes turned the same turned", () => {
    expect(sizeOf(1, 128 * 128, 8)).toEqual({ width: 128, height: 128 });
    const wide = sizeOf(16 / 9, 128 * 128, 8);
    expect(sizeOf(9 / 16, 128 * 128, 8)).toEqual({ width: wide.height, height: wide.width });
  });

  it("is there for any picture", () => {
    const random = numbers(3);
    for (let i = 0; i < 200; i++) {
      const aspect = Math.exp((random() - 0.5) * 6);
      const { width, height } = sizeOf(aspect, 128 * 128, 8);
      expect(width >= 8 && height >= 8).toBe(true);
      expect((width * height) / 128 ** 2).toBeLessThanOrEqual(1.25);
    }
  });
});

it("shapes are called what they are", () => {
  expect(shapeName({ width: 1920, height: 1080 })).toBe("16:9");
  expect(shapeName({ width: 168, height: 96 })).toBe("about 16:9");
  expect(shapeName({ width: 100, height: 100 })).toBe("1:1");
  expect(shapeName({ width: 1000, height: 300 })).toBe("3.33:1");
});

it("what a frame cuts off is told where it is to be seen", () => {
  const square = { width: 128, height: 128 };
  expect(cutOf({ width: 160, height: 96 }, square)).toEqual({ share: expect.closeTo(0.4), axis: "x" });
  expect(cutOf({ width: 96, height: 160 }, square)).toEqual({ share: expect.closeTo(0.4), axis: "y" });
  expect(cutOf({ width: 129, height: 128 }, square)).toBeNull();
  expect(coveringPart({ width: 160, height: 96 }, square)).toEqual({ x: 32, y: 0, width: 96, height: 96 });
  expect(coveringPart({ width: 160, height: 96 }, square, 1).x).toBe(64);
});
