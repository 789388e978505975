import { describe, expect, test } from 'vitest';

import { may } from '../src/api/viewer';
import { merged } from '../src/pages/Deployment';
import { nameOf } from '../src/pages/New';
import { BadLine, parse, wrongName } from '../src/pages/staged';
import { sentence } from '../src/parts/Result';
import { ago, duration } from '../src/parts/time';
import { matching } from '../src/shell/matching';

describe('a .env file', () => {
  test('is read with quotes, comments, export and values over lines', () => {
    const text = '# comment\nexport A=1\r\nB = two words # why\nC="x\\n\\"y\\""\nD=\'$raw \\n\'\nE="one\ntwo"\nF=\n';
    expect([...parse(text)]).toEqual([['A', '1'], ['B', 'two words'], ['C', 'x\n"y"'], ['D', '$raw \\n'], ['E', 'one\ntwo'], ['F', '']]);
  });

  test('a later value wins, and empty text has none', () => {
    expect([...parse('A=1\nA=2')]).toEqual([['A', '2']]);
    expect([...parse('\n \n')]).toEqual([]);
  });

  test.each([['nothing', 'Line 1 is not NAME=value'], ['A=1\n1B=2', 'Line 2: “1B” is no name'], ['A="x\ny', 'Line 1: the value of A has no end']])('%j is refused with its line', (text, message) => {
    expect(() => parse(text)).toThrow(BadLine);
    expect(() => parse(text)).toThrow(message);
  });

  test('names are those that the server takes', () => {
    expect(['A', '_a1', 'DATABASE_URL'].map(wrongName)).toEqual([undefined, undefined, undefined]);
    for (const name of ['', '1A', 'A-B', 'Ä', 'A B']) expect(wrongName(name)).toContain('is no name');
  });
});

test('a grant on an environment counts there and nowhere else', () => {
  const rights = { permissions: ['project-read'], grants: [
    { permissions: ['deployment-write'], projectId: 'shop', environmentId: 'preview' },
    { permissions: ['variable-write'], projectId: 'shop', environmentId: null },
  ] };
  expect(may(rights, 'project-read')).toBe(true);
  expect(may(rights, 'deployment-write', 'shop', 'preview')).toBe(true);
  expect(may(rights, 'deployment-write', 'shop', 'production')).toBe(false);
  expect(may(rights, 'deployment-write')).toBe(false);
  expect(may(rights, 'variable-write', 'shop', 'production')).toBe(true);
  expect(may(rights, 'variable-write', 'blog', 'production')).toBe(false);
});

test('events that were read and that came are each there once', () => {
  expect(merged([{ number: 1 }, { number: 2 }], [{ number: 3 }, { number: 2 }])).toEqual([{ number: 1 }, { number: 2 }, { number: 3 }]);
});

test('a repository suggests a name', () => {
  expect(['https://github.com/Team/My_Shop.git', 'git@example.org:team/shop', 'ssh://git@example.org/a/b.c/', ''].map(nameOf)).toEqual(['my-shop', 'shop', 'b-c', '']);
});

test('times are short', () => {
  const now = Date.parse('2026-12-01T12:00:00Z');
  expect([0, 59, 60, 7_199, 86_400 * 3].map((seconds) => ago(now - seconds * 1000, now))).toEqual(['now', 'now', '1 min ago', '1 h ago', '3 d ago']);
  expect(ago(now + 300_000, now)).toBe('in 5 min');
  expect([0, 4_400, 64_000, 3_729_000].map(duration)).toEqual(['0:00', '0:04', '1:04', '1:02:09']);
});

test('messages are sentences', () => {
  expect(sentence('the name is taken')).toBe('The name is taken.');
  expect(sentence('Why?')).toBe('Why?');
});

test('a few letters find what begins with them first', () => {
  const entries = ['blog-shop', 'shop', 'Jobs', 'audit'].map((title) => ({ title }));
  const found = (text: string) => matching(entries, text).map(({ title }) => title);
  expect(found('shop')).toEqual(['shop', 'blog-shop']);
  expect(found('JB')).toEqual(['Jobs']);
  expect(found('')).toHaveLength(4);
  expect(found('zzz')).toEqual([]);
});
