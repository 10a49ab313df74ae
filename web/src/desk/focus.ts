/**
 * Focus never falls to the page: where what had it is gone, what took its place gets it, else the stage.
 *
 * The browser lets focus fall to the page when a row is deleted, a panel closes or a button is switched off; keys
 * then mean nothing, or something out of sight.
 */

import { useSession } from "../session/session";

/** Never what is written in: the next key would erase words there. */
const FOCUSABLE =
  "button:not(:disabled), a[href], input[type=range]:not(:disabled), input[type=checkbox]:not(:disabled), " +
  "select:not(:disabled), summary, [tabindex]:not([tabindex='-1'])";

/** What holds things that belong together; beyond it the stage is nearer than any of its neighbours. */
const ROOM = "section, aside, nav, dialog";
const HOUSE = ".desk, #root, body";

const able = (place: Element): HTMLElement[] =>
  [...place.querySelectorAll<HTMLElement>(FOCUSABLE)].filter((element) => element.checkVisibility());

interface Remembered {
  element: HTMLElement;
  /** The places around it, from the nearest outwards, and as which child of each it stood there. */
  way: { place: Element; child: number }[];
}

function remember(element: HTMLElement): Remembered {
  const way: Remembered["way"] = [];
  let inner: Element = element;
  for (let place = element.parentElement; place && !place.matches(HOUSE); place = place.parentElement) {
    way.push({ place, child: [...place.children].indexOf(inner) });
    if (place.matches(ROOM)) break;
    inner = place;
  }
  return { element, way };
}

const stage = (): HTMLElement | null => document.querySelector<HTMLElement>(".stage-canvas");

/** What should have the focus after that. */
function successor({ element, way }: Remembered): HTMLElement | null {
  // What is still there was left on purpose, by a click beside it or by Escape.
  if (element.isConnected && element.checkVisibility() && !element.matches(":disabled")) return stage();
  for (const { place, child } of way) {
    if (!place.isConnected || !place.checkVisibility()) continue;
    const all = able(place).filter((other) => other !== element);
    // The row that came up in its stead, or the last one where it was the last.
    const heir = place.children[Math.min(child, place.children.length - 1)];
    const next = all.find((other) => heir?.contains(other)) ?? all[0];
    if (next) return next;
  }
  return stage();
}

const fallen = (): boolean => !document.activeElement || document.activeElement === document.body;

/** Looks after the focus until it is stopped. */
export function keepFocus(): () => void {
  let last: Remembered | null = null;
  let asked = 0;
  const mind = () => {
    asked = 0;
    if (!fallen() || document.querySelector("dialog[open]")) return;
    const next = last ? successor(last) : null;
    next?.focus({ preventScroll: true });
  };
  // After whatever is under way has come to rest: a click focuses what it hits before that.
  const look = () => {
    if (!asked && fallen()) asked = window.setTimeout(mind, 0);
  };
  const onFocus = (event: FocusEvent) => {
    if (event.target instanceof HTMLElement && event.target !== document.body) last = remember(event.target);
  };
  const observer = new MutationObserver(look);
  observer.observe(document.body, {
    childList: true,
    subtree: true,
    attributes: true,
    attributeFilter: ["disabled", "open", "hidden"],
  });
  // Words that were chosen for a tool are not what the next key is for.
  const leaveText = useSession.subscribe(({ tool, phrase }, before) => {
    const asked = tool !== before.tool || (phrase !== null && phrase !== before.phrase);
    if (asked && document.activeElement instanceof HTMLTextAreaElement)
      stage()?.focus({ preventScroll: true });
  });
  document.addEventListener("focusin", onFocus);
  document.addEventListener("focusout", look);
  document.addEventListener("click", look);
  return () => {
    clearTimeout(asked);
    leaveText();
    observer.disconnect();
    document.removeEventListener("focusin", onFocus);
    document.removeEventListener("focusout", look);
    document.removeEventListener("click", look);
  };
}
