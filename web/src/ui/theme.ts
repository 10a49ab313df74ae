/** Light or dark: the system's choice, until a person makes their own. */
import { create } from "zustand";

type Theme = "light" | "dark";

const system = (): Theme => (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");
const kept = localStorage.getItem("rehearse.theme") as Theme | null;

export const useTheme = create<{ theme: Theme }>(() => ({ theme: kept ?? system() }));

function apply(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
}

export function startTheme(): void {
  apply(useTheme.getState().theme);
  useTheme.subscribe(({ theme }) => apply(theme));
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => {
    if (!localStorage.getItem("rehearse.theme")) useTheme.setState({ theme: system() });
  });
}

export function switchTheme(): void {
  const theme = useTheme.getState().theme === "dark" ? "light" : "dark";
  localStorage.setItem("rehearse.theme", theme);
  useTheme.setState({ theme });
}
