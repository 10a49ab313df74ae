/** What pruning frees, in words. */
export interface Freed {
  checkpoints: number;
  files: number;
  bytes: number;
}

export function megabytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  if (bytes >= 1e7) return `${Math.round(bytes / 1e6)} MB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

export function freedSentence({ checkpoints, bytes }: Freed): string {
  if (!bytes && !checkpoints) return "Nothing to free: every step here is one to keep.";
  const freed = `Frees ${megabytes(bytes)}`;
  if (!checkpoints) return `${freed} that no take needs.`;
  return `${freed}: ${checkpoints} step${checkpoints === 1 ? "" : "s"} can then be viewed, but not branched from.`;
}
