/** Remaining time, as a person says it. */
export function remaining(seconds: number): string {
  if (seconds < 1.5) return "a moment left";
  if (seconds < 90) return `${Math.round(seconds)} s left`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min left`;
  return `${(seconds / 3600).toFixed(1)} h left`;
}
