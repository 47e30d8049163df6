// The console's few signs, drawn on a grid of 20 by 20 with one line width.
import type { ReactNode } from 'react';

const kPaths: Record<string, ReactNode> = {
  apps: <path d="M3.5 3.500h5v5h-5zM11.5 3.500h5v5h-5zM3.5 11.500h5v5h-5zM11.5 11.500h5v5h-5z" />,
  runs: <path d="M6 4.500v11l9.5-5.500z" />,
  data: <path d="M4 5.500C4 4.1 6.7 3 10 3s6 1.1 6 2.500S13.3 8 10 8 4 6.9 4 5.500v9C4 15.9 6.7 17 10 17s6-1.1 6-2.500v-9M4 10c0 1.4 2.7 2.5 6 2.500s6-1.1 6-2.5" />,
  search: <path d="M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12zm4.3-1.700L17 17" />,
  upload: <path d="M10 13V3.500M6 7l4-4 4 4M3.5 13v3.500h13V13" />,
  download: <path d="M10 3v9.500M6 9l4 4 4-4M3.5 13v3.500h13V13" />,
  trash: <path d="M4 5.500h12M8 5.500V3.500h4v2M5.5 5.500l.7 11h7.600l.7-11" />,
  close: <path d="m5 5 10 10M15 5 5 15" />,
  up: <path d="M10 16V4M5 9l5-5 5 5" />,
  down: <path d="M10 4v12M5 11l5 5 5-5" />,
  copy: <path d="M7 7h9.500v9.500H7zM13 7V3.500H3.500V13H7" />,
  check: <path d="m4 10.5 4 4 8-9" />,
  file: <path d="M5 3h6.500L15 6.500V17H5zM11 3v4h4" />,
  eye: <path d="M2.5 10S5 5 10 5s7.5 5 7.5 5-2.5 5-7.5 5-7.5-5-7.5-5zM10 12.500a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z" />,
  pause: <path d="M7 4v12M13 4v12" />,
  keep: <path d="M5 3h10v14l-5-3.500L5 17z" />,
  again: <path d="M16 10a6 6 0 1 1-1.8-4.300L16.5 8M16.5 3.500V8H12" />,
  stop: <path d="M5 5h10v10H5z" />,
  open: <path d="M11.5 3.500h5v5M16.5 3.5 9.5 10.500M14 11.500v5H3.500V6h5" />,
  sun: <path d="M10 13.500a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM10 2v1.500M10 16.500V18M2 10h1.500M16.5 10H18M4.3 4.300l1.1 1.100M14.6 14.600l1.1 1.100M15.7 4.300l-1.1 1.100M5.4 14.600l-1.1 1.1" />,
  moon: <path d="M16.5 12A7 7 0 0 1 8 3.500a7 7 0 1 0 8.5 8.500z" />,
  system: <path d="M3 4h14v9.500H3zM7 17h6M10 13.500V17" />,
  leave: <path d="M12 6V3.500H3.500v13H12V14M8 10h9M14 7l3 3-3 3" />,
  right: <path d="m7.5 4.5 5.5 5.5-5.5 5.5" />,
  spark: <path d="M10 3v4M10 13v4M3 10h4M13 10h4M5.5 5.5 7.5 7.500M12.5 12.500l2 2M14.5 5.500l-2 2M7.5 12.500l-2 2" />,
  plus: <path d="M10 4v12M4 10h12" />,
};

export type IconName = keyof typeof kPaths;

/// Always beside a text or inside a button with a label, so it is hidden from screen readers.
export function Icon({ name, size = 18 }: { name: string; size?: number }) {
  return (
    <svg
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {kPaths[name]}
    </svg>
  );
}

export function Logo({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" className="logo">
      <rect width="32" height="32" rx="8" fill="currentColor" />
      <path
        d="M9 24c0-9 5-15 14-16-1 9-6 14-14 16Zm0 0c3-5 6-8 9-10.5"
        fill="none"
        stroke="var(--on-accent)"
        strokeWidth="2.4"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
