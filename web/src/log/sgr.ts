/** Colours of terminals (ECMA-48, "select graphic rendition") as classes; every other escape sequence is dropped. Text stays text. */

/** A run of text in one look. */
export interface Run {
  text: string;
  /** Classes, such as `sgr-1 sgr-b`; empty for plain text. */
  look: string;
}

// Sequences begin with ESC; CSI ones end with a letter, OSC ones (links, titles) with BEL or ESC \.
const SEQUENCE = /\u001b(?:\[([0-?]*)[ -/]*([@-~])|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
// Characters that change the direction or hide what is written, and control characters.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Longest text of a line that is shown; more would make the browser slow. */
export const MOST_SHOWN = 4096;

interface Look {
  colour: number | undefined;
  flags: Set<string>;
}

/** The runs of a line. */
export function runs(line: string): Run[] {
  // A progress bar writes over itself: the last state counts.
  const end = line.replace(/\r+$/, '');
  const text = end.slice(end.lastIndexOf('\r') + 1).slice(0, MOST_SHOWN);
  const look: Look = { colour: undefined, flags: new Set() };
  const found: Run[] = [];
  let from = 0;
  for (const match of text.matchAll(SEQUENCE)) {
    push(found, text.slice(from, match.index), look);
    from = match.index + match[0].length;
    if (match[2] === 'm') change(look, match[1] ?? '');
  }
  push(found, text.slice(from), look);
  if (end.length > MOST_SHOWN) push(found, ' …', { colour: undefined, flags: new Set(['sgr-d']) });
  return found;
}

/** A line without any look: for searching and copying. */
export function plain(line: string): string {
  return line.replace(SEQUENCE, '').replace(UNSEEN, '');
}

function push(found: Run[], raw: string, look: Look): void {
  const text = raw.replace(UNSEEN, '');
  if (text === '') return;
  const classes = [...look.flags];
  if (look.colour !== undefined) classes.unshift(`sgr-${look.colour}`);
  found.push({ text, look: classes.join(' ') });
}

const FLAGS: Record<number, string> = { 1: 'sgr-b', 2: 'sgr-d', 3: 'sgr-i', 4: 'sgr-u' };

function change(look: Look, parameters: string): void {
  const codes = parameters.split(/[;:]/).map(Number);
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    const flag = FLAGS[code];
    if (code === 0) {
      look.colour = undefined;
      look.flags.clear();
    } else if (flag !== undefined) look.flags.add(flag);
    else if (code === 22) {
      look.flags.delete('sgr-b');
      look.flags.delete('sgr-d');
    } else if (code === 23) look.flags.delete('sgr-i');
    else if (code === 24) look.flags.delete('sgr-u');
    else if (code >= 30 && code <= 37) look.colour = code - 30;
    else if (code >= 90 && code <= 97) look.colour = code - 90;
    else if (code === 39) look.colour = undefined;
    else if (code === 38) {
      // 38;5;N and 38;2;R;G;B: the nearest of the eight.
      if (codes[at + 1] === 5) {
        look.colour = ofPalette(codes[at + 2] ?? 7);
        at += 2;
      } else if (codes[at + 1] === 2) {
        look.colour = nearest(codes[at + 2] ?? 0, codes[at + 3] ?? 0, codes[at + 4] ?? 0);
        at += 4;
      }
    } else if (code === 48) at += codes[at + 1] === 5 ? 2 : codes[at + 1] === 2 ? 4 : 0;
  }
}

function ofPalette(index: number): number {
  if (index < 16) return index % 8;
  if (index >= 232) return 7;
  const cube = index - 16;
  const level = (part: number) => (part % 6) * 51;
  return nearest(level(Math.floor(cube / 36)), level(Math.floor(cube / 6)), level(cube));
}

function nearest(red: number, green: number, blue: number): number {
  const half = Math.max(red, green, blue, 1) * 0.6;
  return (red >= half ? 1 : 0) + (green >= half ? 2 : 0) + (blue >= half ? 4 : 0);
}
