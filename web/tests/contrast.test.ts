import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

/** Colours that are text. */
const TEXTS = ['text', 'text-2', 'text-3', 'accent', 'live', 'working', 'waiting', 'failed', 'idle', 'simulated'];

/** Grounds that texts stand on. */
const GROUNDS = ['bg', 'page', 'sunk'];

const tokens = readFileSync(new URL('../src/look/tokens.css', import.meta.url), 'utf8');

function colours(theme: 0 | 1): Map<string, string> {
  const found = tokens.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g);
  return new Map([...found].map(([, name, light, dark]) => [name ?? '', (theme === 0 ? light : dark) ?? '']));
}

/** Relative luminance, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
function luminance(colour: string): number {
  const part = (at: number) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5);
}

function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

describe.each([['light', 0], ['dark', 1]] as const)('in the %s theme', (_, theme) => {
  const known = colours(theme);
  test.each(TEXTS.flatMap((text) => GROUNDS.map((ground) => [text, ground] as const)))('%s on %s is read', (text, ground) => {
    expect(contrast(known.get(text) ?? '', known.get(ground) ?? '')).toBeGreaterThanOrEqual(4.5);
  });
});
