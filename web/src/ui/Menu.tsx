/** A button that opens a short list of commands. Arrow keys, Escape, and a click elsewhere work as one expects. */
import { type ReactNode, useEffect, useRef, useState } from "react";
import { Icon, type IconName } from "./Icon";

export interface Item {
  label: string;
  hint?: string;
  icon?: IconName;
  act?: () => void;
  href?: string;
  disabled?: boolean;
  chosen?: boolean;
  separated?: boolean;
}

export function Menu({
  label,
  children,
  items,
  align = "left",
  className = "",
}: {
  label: string;
  children: ReactNode;
  items: Item[];
  align?: "left" | "right";
  className?: string;
}) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (!open) return;
    const away = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", away);
    root.current?.querySelector<HTMLElement>("[role^=menuitem]:not(:disabled)")?.focus();
    return () => document.removeEventListener("pointerdown", away);
  }, [open]);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };

  const step = (by: number) => {
    const entries = [
      ...(root.current?.querySelectorAll<HTMLElement>("[role^=menuitem]:not(:disabled)") ?? []),
    ];
    const at = entries.indexOf(document.activeElement as HTMLElement);
    entries[(at + by + entries.length) % entries.length]?.focus();
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys belong to the list inside
    <div
      className={`menu ${className}`}
      ref={root}
      onKeyDown={(event) => {
        if (!open) return;
        if (event.key === "Escape") close();
        else if (event.key === "ArrowDown") step(1);
        else if (event.key === "ArrowUp") step(-1);
        else return;
        event.preventDefault();
        event.stopPropagation();
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
        <div className={`menu-list menu-${align}`} role="menu" aria-label={label}>
          {items.map((item) =>
            item.href && !item.disabled ? (
              <a
                key={item.label}
                role="menuitem"
                className={item.separated ? "menu-item menu-separated" : "menu-item"}
                href={item.href}
                download
                onClick={() => setOpen(false)}
              >
                {item.icon && <Icon name={item.icon} size={16} />}
                <span>{item.label}</span>
                {item.hint && <small>{item.hint}</small>}
              </a>
            ) : (
              // biome-ignore lint/a11y/useAriaPropsSupportedByRole: only a radio item has a choice
              <button
                key={item.label}
                type="button"
                role={item.chosen === undefined ? "menuitem" : "menuitemradio"}
                aria-checked={item.chosen}
                className={item.separated ? "menu-item menu-separated" : "menu-item"}
                disabled={item.disabled}
                onClick={() => {
                  close();
                  item.act?.();
                }}
              >
                {item.icon && <Icon name={item.icon} size={16} />}
                <span>{item.label}</span>
                {item.hint && <small>{item.hint}</small>}
              </button>
            ),
          )}
        </div>
      )}
    </div>
  );
}
