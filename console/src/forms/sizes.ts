// Sizes as people write them: 4G, 512M.

const kFactors: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/// The bytes that `text` means ("4G", "1.5 gb", "100"), or null if it is no size.
export function parseSize(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]?)(?:I?B)?$/i.exec(text.trim());
  const factor = kFactors[(match?.[2] ?? '').toUpperCase()];
  if (!match || factor === undefined) return null;
  return Math.round(Number(match[1]) * factor);
}

/// The shortest text of exactly so many bytes.
export function formatSize(bytes: number): string {
  for (const unit of ['T', 'G', 'M', 'K']) {
    const factor = kFactors[unit] ?? 1;
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return String(bytes);
}
