/** A number one can type, step with the arrows, or leave to the model. */
import { useEffect, useId, useRef, useState } from "react";

interface Properties {
  label: string;
  value: number | null | undefined;
  onChange: (value: number | null) => void;
  min?: number;
  max?: number;
  step?: number;
  /** Digits shown behind the point; what is not typed over keeps its own. */
  decimals?: number;
  /** What an empty field means; without it a field cannot be empty. */
  empty?: string;
  disabled?: boolean;
}

export function NumberField({
  label,
  value,
  onChange,
  min,
  max,
  step = 1,
  decimals = 4,
  empty,
  disabled,
}: Properties) {
  const id = useId();
  const shown = show(value, decimals);
  const [text, setText] = useState(shown);
  const editing = useRef(false);
  const typed = useRef(false);
  useEffect(() => {
    if (!editing.current) setText(shown);
  }, [shown]);

  const give = (written: string) => {
    // Passed through, and not typed into: rounding for show changes nothing.
    if (!typed.current) return;
    typed.current = false;
    const trimmed = written.trim().replace(",", ".");
    if (trimmed === "") {
      if (empty !== undefined && value != null) onChange(null);
      else setText(shown);
      return;
    }
    const number = Number(trimmed);
    if (!Number.isFinite(number)) {
      setText(shown);
      return;
    }
    const kept = Math.min(max ?? number, Math.max(min ?? number, number));
    if (kept !== value) onChange(kept);
    setText(show(kept, decimals));
  };

  return (
    <div className="number-field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        inputMode="decimal"
        value={text}
        placeholder={empty}
        disabled={disabled}
        onFocus={(event) => {
          editing.current = true;
          event.currentTarget.select();
        }}
        onChange={(event) => {
          typed.current = true;
          setText(event.currentTarget.value);
        }}
        onBlur={(event) => {
          editing.current = false;
          give(event.currentTarget.value);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") {
            typed.current = true;
            give(event.currentTarget.value);
          }
          if (event.key === "Escape") {
            typed.current = false;
            setText(shown);
            event.currentTarget.blur();
          }
          if (event.key === "ArrowUp" || event.key === "ArrowDown") {
            event.preventDefault();
            const size = step * (event.shiftKey ? 10 : 1) * (event.key === "ArrowUp" ? 1 : -1);
            const from = Number(text) || Number(empty) || 0;
            typed.current = true;
            give(String(Math.round((from + size) * 1e6) / 1e6));
          }
        }}
      />
    </div>
  );
}

const show = (value: number | null | undefined, decimals: number): string =>
  value == null ? "" : String(Math.round(value * 10 ** decimals) / 10 ** decimals);
