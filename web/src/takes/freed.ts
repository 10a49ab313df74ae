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

const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

export function freedSentence({ checkpoints, files, bytes }: Freed): string {
  if (!bytes && !checkpoints) return "Nothing would be freed: every checkpoint here is one to keep.";
  const dropped = checkpoints ? counted(checkpoints, "checkpoint is", "checkpoints are") : "no checkpoint is";
  return `${megabytes(bytes)} would be freed: ${dropped} dropped, ${counted(files, "file", "files")} deleted.`;
}
