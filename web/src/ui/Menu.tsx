/** A button that opens a list of commands. Arrow keys, Escape, and a click elsewhere work as one expects. */
import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import { found, SEARCHED } from "./found";
import { Icon, type IconName } from "./Icon";

export interface Item {
  /** Told apart by it; else by the label. */
  id?: string;
  label: string;
  hint?: string;
  icon?: IconName;
  act?: () => void;
  href?: string;
  disabled?: boolean;
  chosen?: boolean;
  separated?: boolean;
}

/** Things to choose from, however many: they scroll, and are searched where there are too many to look through. */
interface Many {
  label: string;
  items: Item[];
}

/** Room between a list and the window's edge, in pixels. */
const EDGE = 8;

/** Moves a list sideways, and cuts its height, so that it lies inside the window; it scrolls. */
function bringInside(list: HTMLElement): void {
  list.style.translate = "";
  list.style.maxHeight = "";
  const { left, right, top, bottom } = list.getBoundingClientRect();
  const over = Math.max(0, right + EDGE - window.innerWidth);
  const shift = Math.max(EDGE - left, -over);
  if (shift < 0 || left < EDGE) list.style.translate = `${shift}px 0`;
  if (bottom + EDGE > window.innerHeight) list.style.maxHeight = `${window.innerHeight - EDGE - top}px`;
}

const ENTRIES = "[role^=menuitem]:not(:disabled)";

export function Menu({
  label,
  children,
  items,
  many,
  align = "left",
  className = "",
}: {
  label: string;
  children: ReactNode;
  items: Item[];
  many?: Many;
  align?: "left" | "right";
  className?: string;
}) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (!open) return;
    const away = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", away);
    root.current?.querySelector(".menu-many [aria-checked=true]")?.scrollIntoView({ block: "center" });
    root.current?.querySelector<HTMLElement>(`.menu-search, ${ENTRIES}`)?.focus();
    return () => document.removeEventListener("pointerdown", away);
  }, [open]);

  useLayoutEffect(() => {
    if (!open) return;
    const place = () => list.current && bringInside(list.current);
    place();
    window.addEventListener("resize", place);
    return () => window.removeEventListener("resize", place);
  }, [open]);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };

  const step = (by: 1 | -1) => {
    const entries = [...(root.current?.querySelectorAll<HTMLElement>(ENTRIES) ?? [])];
    const at = entries.indexOf(document.activeElement as HTMLElement);
    const next = at < 0 && by < 0 ? entries.length - 1 : (at + by + entries.length) % entries.length;
    entries[next]?.focus();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (!open) return;
    const held = event.ctrlKey || event.metaKey || event.altKey;
    if (event.key.length === 1 && event.key !== " " && !held) {
      // Letters search, whatever has the focus, and are no keys of the desk.
      root.current?.querySelector<HTMLElement>(".menu-search")?.focus();
      event.stopPropagation();
      return;
    }
    if (event.key === "Escape") close();
    else if (event.key === "ArrowDown") step(1);
    else if (event.key === "ArrowUp") step(-1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const entry = (item: Item) => <Entry key={item.id ?? item.label} item={item} close={close} />;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys belong to the list inside
    <div
      className={`menu ${className}`}
      ref={root}
      onKeyDown={onKeyDown}
      onBlur={({ relatedTarget }) => {
        // The keyboard has gone on to something else.
        if (relatedTarget && !root.current?.contains(relatedTarget)) setOpen(false);
      }}
    >
      <button
        type="button"
        ref={button}
        className="menu-button"
        aria-haspopup="menu"
        aria-expanded={open}
        aria-label={label}
        title={label}
        onClick={() => setOpen(!open)}
      >
        {children}
        <Icon name="chevron" size={14} />
      </button>
      {open && (
        <div className={`menu-list menu-${align}`} ref={list}>
          {many ? (
            <Searched many={many} close={close} label={label}>
              {items.map(entry)}
            </Searched>
          ) : (
            <div role="menu" aria-label={label}>
              {items.map(entry)}
            </div>
          )}
        </div>
      )}
    </div>
  );
}

/** Many things above a menu's commands. */
function Searched({
  many,
  label,
  close,
  children,
}: {
  many: Many;
  label: string;
  close: () => void;
  children: ReactNode;
}) {
  const [words, setWords] = useState("");
  const shown = found(many.items, words);
  return (
    <>
      {many.items.length >= SEARCHED && (
        <input
          type="search"
          className="menu-search"
          aria-label={`Find among ${many.items.length} ${many.label.toLowerCase()}`}
          placeholder={`Find among ${many.items.length} ${many.label.toLowerCase()}`}
          value={words}
          onChange={(event) => setWords(event.currentTarget.value)}
          onKeyDown={(event) => {
            const [first] = shown;
            if (event.key !== "Enter" || !first || !words.trim()) return;
            event.preventDefault();
            close();
            first.act?.();
          }}
        />
      )}
      <p className="unseen" role="status">
        {words && `${shown.length} of ${many.items.length}`}
      </p>
      {shown.length === 0 && <p className="hint menu-none">None is called so.</p>}
      <div role="menu" aria-label={label}>
        {shown.length > 0 && (
          <div role="group" className="menu-many" aria-label={many.label}>
            {shown.map((item) => (
              <Entry key={item.id ?? item.label} item={item} close={close} />
            ))}
          </div>
        )}
        <div role="group" className="menu-commands" aria-label="Commands">
          {children}
        </div>
      </div>
    </>
  );
}

function Entry({ item, close }: { item: Item; close: () => void }) {
  const className = item.separated ? "menu-item menu-separated" : "menu-item";
  const content = (
    <>
      {item.icon && <Icon name={item.icon} size={16} />}
      <span>{item.label}</span>
      {item.hint && <small>{item.hint}</small>}
    </>
  );
  if (item.href && !item.disabled)
    return (
      <a role="menuitem" className={className} href={item.href} download onClick={close}>
        {content}
      </a>
    );
  return (
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: only a radio item has a choice
    <button
      type="button"
      role={item.chosen === undefined ? "menuitem" : "menuitemradio"}
      aria-checked={item.chosen}
      title={item.chosen === undefined ? undefined : item.label}
      className={className}
      disabled={item.disabled}
      onClick={() => {
        close();
        item.act?.();
      }}
    >
      {content}
    </button>
  );
}
