/** One frame of a strip, in step with the playhead; a new frame renders nothing anew. */
import { useEffect, useRef } from "react";
import { previewUrl } from "../api/addresses";
import type { Strip } from "../api/client";
import { placeOf } from "../canvas/strips";
import { usePlayhead } from "../session/playhead";

export function Thumb({ strip, size }: { strip: Strip; size: number }) {
  const place = useRef<HTMLSpanElement>(null);
  const scale = size / strip.height;
  const rows = Math.ceil(strip.frames / strip.columns);
  useEffect(() => {
    const show = () => {
      const { x, y } = placeOf(strip, usePlayhead.getState().frame);
      if (place.current) place.current.style.backgroundPosition = `${-x * scale}px ${-y * scale}px`;
    };
    show();
    return usePlayhead.subscribe(show);
  }, [strip, scale]);
  return (
    <span
      ref={place}
      className="thumb"
      style={{
        width: strip.width * scale,
        height: size,
        backgroundImage: `url(${previewUrl(strip.digest)})`,
        backgroundSize: `${strip.width * strip.columns * scale}px ${strip.height * rows * scale}px`,
      }}
    />
  );
}
