// Numbers, sizes and times as people read them. Bytes are in powers of 1000, as on the command line.

/// "912 B", "1.4 MB".
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 0;
  // 999.95 would be rounded to "1000.0".
  while (value >= (unit === 0 ? 1000 : 999.95) && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return unit === 0 ? `${value} B` : `${value.toFixed(1)} ${units[unit]}`;
}

/// "0.8 s", "2 min 05 s", "1 h 12 min".
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (value: number) => String(value).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

/// "1,234,567", "0.0213"; six significant digits at most.
export function formatNumber(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en');
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e15)) return value.toExponential(3);
  return value.toLocaleString('en', { maximumSignificantDigits: size >= 1e5 ? 8 : 6 });
}

/// "1.2 million reads/s": rates need no more than three digits.
export function formatRate(value: number, unit: string): string {
  if (unit === 'bytes') return `${formatBytes(Math.round(value))}/s`;
  const short = value.toLocaleString('en', { notation: 'compact', maximumSignificantDigits: 3 });
  return unit === '' ? `${short}/s` : `${short} ${unit}/s`;
}

/// So much of a stage, in its unit.
export function formatAmount(value: number, unit: string): string {
  if (unit === 'bytes') return formatBytes(value);
  return unit === '' ? formatNumber(value) : `${formatNumber(value)} ${unit}`;
}

/// "31 May 2024, 10:20" in the reader's own time zone.
export function formatTime(time: string | null): string {
  if (time === null) return '–';
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  return date.toLocaleString('en-GB', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' });
}

/// "just now", "5 min ago", "3 h ago"; the date when it was longer ago than a day.
export function formatAge(time: string, now: number): string {
  const seconds = (now - new Date(time).getTime()) / 1000;
  if (!(seconds < 86400)) return formatTime(time);
  if (seconds < 60) return 'just now';
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min ago` : `${Math.floor(seconds / 3600)} h ago`;
}

/// "1 file", "3 files".
export function formatCount(count: number, word: string): string {
  return `${formatNumber(count)} ${word}${count === 1 ? '' : 's'}`;
}
