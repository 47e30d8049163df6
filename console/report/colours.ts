// Colours of values: mixed of the palette's, so that they are seen on light and dark.
import type { Palette } from './theme';

type Rgb = [number, number, number];

/// "rgb(1, 2, 3)" as a browser tells it.
function parse(colour: string): Rgb {
  const [r = 0, g = 0, b = 0] = (colour.match(/[\d.]+/g) ?? []).map(Number);
  return [r, g, b];
}

const css = ([r, g, b]: Rgb) => `rgb(${Math.round(r)}, ${Math.round(g)}, ${Math.round(b)})`;

/// The colour at `share` (0 to 1) of a scale through `stops`.
export function mixed(stops: string[], share: number): string {
  const at = Math.min(1, Math.max(0, share)) * (stops.length - 1);
  const low = Math.min(stops.length - 2, Math.floor(at));
  const [a, b] = [parse(stops[low] ?? ''), parse(stops[low + 1] ?? '')];
  return css(a.map((value, channel) => value + (at - low) * ((b[channel] ?? 0) - value)) as Rgb);
}

/// From low to high: blue, purple, orange.
export const scaleStops = ({ series }: Palette) => [series[2] ?? '', series[3] ?? '', series[1] ?? ''];

/// Below 0, 0, above: orange, the ground, blue.
export const signStops = ({ series, surface }: Palette) => [series[1] ?? '', surface, series[2] ?? ''];

/// A function from places (0 the lowest) to colours without computing each anew.
export function ramp(stops: string[], steps = 64): (share: number) => string {
  const colours = Array.from({ length: steps }, (_, at) => mixed(stops, at / (steps - 1)));
  return (share) => colours[Math.min(steps - 1, Math.max(0, Math.round(share * (steps - 1))))] ?? '';
}

export const gradient = (stops: string[]) => `linear-gradient(to right, ${stops.join(', ')})`;

/// For each value the share of values below it, equal ones alike; null where there is none. Colours
/// by rank tell values apart however they are spread.
export function ranks(values: (number | null)[]): (number | null)[] {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b);
  const first = new Map<number, number>();
  known.forEach((value, at) => first.has(value) || first.set(value, at));
  const last = Math.max(1, known.length - 1);
  return values.map((value) => (value === null ? null : (first.get(value) ?? 0) / last));
}
