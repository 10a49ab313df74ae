/** Buttons of the desk: a plain one, and one of an icon alone. */
import type { ButtonHTMLAttributes, ReactNode } from "react";
import { Icon, type IconName } from "./Icon";

interface Common extends ButtonHTMLAttributes<HTMLButtonElement> {
  icon?: IconName;
  tone?: "plain" | "primary" | "quiet" | "danger";
}

export function Button({
  icon,
  tone = "plain",
  children,
  className = "",
  ...rest
}: Common & { children: ReactNode }) {
  return (
    <button type="button" className={`button button-${tone} ${className}`} {...rest}>
      {icon && <Icon name={icon} size={16} />}
      {children}
    </button>
  );
}

/** `keys` is what the keyboard has for it; shown with the name. */
export function IconButton({
  icon,
  label,
  keys,
  pressed,
  className = "",
  size = 18,
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & {
  icon: IconName;
  label: string;
  keys?: string;
  pressed?: boolean;
  size?: number;
}) {
  return (
    <button
      type="button"
      className={`icon-button ${className}`}
      aria-label={label}
      aria-pressed={pressed}
      title={keys ? `${label}  (${keys})` : label}
      {...rest}
    >
      <Icon name={icon} size={size} />
    </button>
  );
}
