/** The edge between stage and dock; pulled, or moved with the arrow keys. */
import { useEffect, useRef, useState } from "react";

const LEAST = 120;
/** What a person pulled it to; until then it is as high as what is in it. */
const KEPT = "rehearse.dock.pulled";
/** Pixels that the stage and the bars keep. */
const ABOVE = 340;

const most = (): number => Math.max(LEAST, innerHeight - ABOVE);
const start = (): number | null => Number(localStorage.getItem(KEPT)) || null;

export function Splitter() {
  const [height, setHeight] = useState(start);
  const edge = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const { style } = document.documentElement;
    const apply = () => {
      const own = Math.round(Math.min(most(), innerHeight * 0.36));
      style.setProperty("--dock", `${height === null ? own : Math.min(height, most())}px`);
    };
    if (height === null) {
      style.removeProperty("--dock-height");
      localStorage.removeItem(KEPT);
    } else {
      style.setProperty("--dock-height", `${height}px`);
      localStorage.setItem(KEPT, String(height));
    }
    apply();
    window.addEventListener("resize", apply);
    return () => window.removeEventListener("resize", apply);
  }, [height]);
  const [shown, setShown] = useState(LEAST);
  useEffect(() => {
    const dock = edge.current?.parentElement;
    if (!dock) return;
    const observer = new ResizeObserver(() => setShown(dock.offsetHeight));
    observer.observe(dock);
    return () => observer.disconnect();
  }, []);
  const set = (wanted: number) => setHeight(Math.min(most(), Math.max(LEAST, wanted)));
  return (
    <div
      ref={edge}
      className="splitter"
      title="Drag to resize the timeline and takes; double-click to fit"
      onDoubleClick={() => setHeight(null)}
      role="separator"
      aria-orientation="horizontal"
      aria-label="Height of timeline and takes"
      aria-valuenow={shown}
      aria-valuemin={LEAST}
      tabIndex={0}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={(event) => event.buttons & 1 && set(innerHeight - event.clientY)}
      onKeyDown={(event) => {
        const by = event.key === "ArrowUp" ? 24 : event.key === "ArrowDown" ? -24 : 0;
        if (!by) return;
        event.preventDefault();
        event.stopPropagation();
        set(shown + by);
      }}
    />
  );
}
