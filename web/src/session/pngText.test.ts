import { expect, it } from "vitest";
import { mayHoldShot } from "./pngText";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

function chunk(kind: string, content: string): number[] {
  const bytes = [...new TextEncoder().encode(content)];
  const length = bytes.length;
  const head = [length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255];
  return [...head, ...new TextEncoder().encode(kind), ...bytes, 0, 0, 0, 0];
}

const png = (...chunks: number[][]) => new Uint8Array([...SIGNATURE, ...chunks.flat()]);
const HEADER = chunk("IHDR", "thirteen byte");
const PIXELS = chunk("IDAT", "pixels");
const SHOT = chunk("iTXt", 'comment\0\0\0\0\0{"rehearse":{"shot":{}}}');

it("knows a clip of ours by its text, before the pixels or behind them", () => {
  expect(mayHoldShot(png(HEADER, SHOT, PIXELS))).toBe(true);
  expect(mayHoldShot(png(HEADER, PIXELS, SHOT))).toBe(true);
  expect(mayHoldShot(png(HEADER, chunk("zTXt", "Comment\0\0packed"), PIXELS))).toBe(true);
  expect(mayHoldShot(png(HEADER, chunk("iTXt", "comment\0\x01\0\0\0packed"), PIXELS))).toBe(true);
});

it("takes any other picture for a picture", () => {
  expect(mayHoldShot(png(HEADER, PIXELS))).toBe(false);
  expect(mayHoldShot(png(HEADER, chunk("tEXt", "comment\0made at noon"), PIXELS))).toBe(false);
  expect(mayHoldShot(png(HEADER, chunk("tEXt", 'parameters\0"rehearse"'), PIXELS))).toBe(false);
  expect(mayHoldShot(new TextEncoder().encode('comment "rehearse"'))).toBe(false);
  expect(mayHoldShot(png(HEADER, SHOT).subarray(0, 30))).toBe(false);
});
