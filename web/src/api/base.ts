/** Where the page lies, without a slash at its end: a proxy may have it below a path. */
export const BASE =
  typeof location === "undefined" ? "" : `${location.origin}${location.pathname}`.replace(/\/[^/]*$/, "");
