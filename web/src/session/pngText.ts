/** Whether a PNG may hold a shot, read from its own chunks: a plain picture is no question for the server. */

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const TEXTS = new Set(["tEXt", "iTXt", "zTXt"]);

const latin = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** bytes: of the whole file; text may stand before the pixels and behind them. */
export function mayHoldShot(bytes: Uint8Array): boolean {
  if (!SIGNATURE.every((byte, i) => bytes[i] === byte)) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = SIGNATURE.length; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const kind = latin(bytes.subarray(at + 4, at + 8));
    const start = at + 8;
    if (TEXTS.has(kind) && saysSo(kind, bytes.subarray(start, start + length))) return true;
    at = start + length + 4;
  }
  return false;
}

function saysSo(kind: string, content: Uint8Array): boolean {
  const keyword = latin(content.subarray(0, 80)).split("\0")[0] ?? "";
  if (keyword.toLowerCase() !== "comment") return false;
  const packed = kind === "zTXt" || (kind === "iTXt" && content[keyword.length + 1] === 1);
  return packed || new TextDecoder().decode(content.subarray(keyword.length)).includes('"rehearse"');
}
