import { describe, expect, test } from 'vitest';

import { isError, type Line, Lines, visible } from '../src/log/lines';
import { MOST_SHOWN, plain, runs } from '../src/log/sgr';

const line = (number: number, text = `line ${number}`): Line => ({ number, stream: 'BUILD', text, at: '2026-12-01T00:00:00Z' });

describe('colours of terminals', () => {
  test('become classes, and text stays text', () => {
    expect(runs('\u001b[1;31mred\u001b[0m <b>')).toEqual([{ text: 'red', look: 'sgr-1 sgr-b' }, { text: ' <b>', look: '' }]);
    expect(runs('\u001b[38;5;196mred\u001b[39m, \u001b[38;2;0;0;255mblue')).toEqual([
      { text: 'red', look: 'sgr-1' },
      { text: ', ', look: '' },
      { text: 'blue', look: 'sgr-4' },
    ]);
    expect(runs('\u001b[92mok\u001b[22m')).toEqual([{ text: 'ok', look: 'sgr-2' }]);
  });

  test('other sequences, links and what turns the text round are dropped', () => {
    expect(plain('\u001b]8;;javascript:alert(1)\u0007link\u001b]8;;\u0007 \u001b[2Kdone\u202e!')).toBe('link done!');
    expect(runs('\u001b[?25lx\u001b[1A')).toEqual([{ text: 'x', look: '' }]);
  });

  test('a progress bar shows its last state', () => {
    expect(runs(' 10 %\r 50 %\r100 %\r')).toEqual([{ text: '100 %', look: '' }]);
  });

  test('a line of 100 KB is cut, and said to be', () => {
    const found = runs('x'.repeat(100_000));
    expect(found.map((run) => run.text.length)).toEqual([MOST_SHOWN, 2]);
  });
});

describe('lines of a log', () => {
  test('are kept once each, in their order', () => {
    const lines = new Lines();
    for (const number of [1, 2, 2, 1, 3]) lines.add(line(number));
    expect(lines.all.map((each) => each.number)).toEqual([1, 2, 3]);
    expect(lines.last).toBe(3);
  });

  test('a thousand of them are told once', async () => {
    const lines = new Lines();
    let told = 0;
    const heard = new Promise<void>((resolve) => {
      lines.subscribe(() => {
        told += 1;
        resolve();
      });
    });
    for (let number = 1; number <= 1000; number += 1) lines.add(line(number));
    await heard;
    expect([told, lines.snapshot(), lines.all.length]).toEqual([1, 1, 1000]);
  });

  test('errors are told from words that contain one', () => {
    expect(isError(line(1, "error TS2322: Type 'string' is not assignable"))).toBe(true);
    expect(isError(line(1, 'npm ERR! code 1'))).toBe(true);
    expect(isError(line(1, 'compiling errors.ts, terror.ts'))).toBe(false);
  });

  test('the window has what is seen and some beyond, never more', () => {
    expect(visible(0, 600, 20, 1_000_000)).toEqual([0, 50]);
    expect(visible(20_000, 600, 20, 1_000_000)).toEqual([980, 1050]);
    expect(visible(1e9, 600, 20, 30)).toEqual([10, 30]);
    expect(visible(0, 600, 20, 0)).toEqual([0, 0]);
  });
});
