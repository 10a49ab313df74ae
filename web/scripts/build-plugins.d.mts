import type { Plugin } from "vite";

export function digestOfSources(): string;
export function sourcesDigest(): Plugin;
export function licences(): Plugin;
