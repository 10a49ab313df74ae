/** The edge between stage and dock; pulled, or moved with the arrow keys. */
import { useEffect, useState } from "react";
import { clamp } from "../document/geometry";

const LEAST = 200;
const KEPT = "rehearse.dock";

const start = (): number =>
  Number(localStorage.getItem(KEPT)) || clamp(Math.round(innerHeight * 0.35), 270, 400);

export function Splitter() {
  const [height, setHeight] = useState(start);
  useEffect(() => {
    document.documentElement.style.setProperty("--dock", `${height}px`);
    localStorage.setItem(KEPT, String(height));
  }, [height]);
  const set = (wanted: number) => setHeight(clamp(wanted, LEAST, Math.max(LEAST, innerHeight - 340)));
  return (
    <div
      className="splitter"
      role="separator"
      aria-orientation="horizontal"
      aria-label="Height of timeline and takes"
      aria-valuenow={height}
      aria-valuemin={LEAST}
      tabIndex={0}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={(event) => event.buttons & 1 && set(innerHeight - event.clientY)}
      onKeyDown={(event) => {
        const by = event.key === "ArrowUp" ? 24 : event.key === "ArrowDown" ? -24 : 0;
        if (!by) return;
        event.preventDefault();
        event.stopPropagation();
        set(height + by);
      }}
    />
  );
}
