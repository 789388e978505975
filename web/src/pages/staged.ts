/** Changes of variables that are not saved yet. */

/** A new value by name; `null` takes the variable away. */
export type Staged = ReadonlyMap<string, string | null>;

/** Names as the server takes them. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** What is wrong with a name, if anything. */
export function wrongName(name: string): string | undefined {
  return NAME.test(name) ? undefined : `“${name}” is no name: letters, digits and _, not beginning with a digit`;
}

/** A line of a .env file that cannot be read. */
export class BadLine extends Error {}

/** The variables of a .env file: `NAME=value`, with quotes, comments, `export` and values over several lines. */
export function parse(text: string): Map<string, string> {
  const found = new Map<string, string>();
  const lines = text.replace(/\r\n?/g, '\n').split('\n');
  for (let at = 0; at < lines.length; at += 1) {
    const line = (lines[at] ?? '').trim();
    if (line === '' || line.startsWith('#')) continue;
    const [, name, rest] = /^(?:export\s+)?([^=\s]+)\s*=\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || rest === undefined) throw new BadLine(`Line ${at + 1} is not NAME=value`);
    const wrong = wrongName(name);
    if (wrong !== undefined) throw new BadLine(`Line ${at + 1}: ${wrong}`);
    const quote = rest[0];
    if (quote !== '"' && quote !== "'") {
      found.set(name, rest.replace(/\s+#.*$/, ''));
      continue;
    }
    let value = rest.slice(1);
    const end = () => closing(value, quote);
    const began = at;
    while (end() < 0) {
      at += 1;
      if (at >= lines.length) throw new BadLine(`Line ${began + 1}: the value of ${name} has no end`);
      value += `\n${lines[at] ?? ''}`;
    }
    value = value.slice(0, end());
    found.set(name, quote === "'" ? value : value.replace(/\\([nrt"\\$])/g, (_, letter: string) => ({ n: '\n', r: '\r', t: '\t' })[letter] ?? letter));
  }
  return found;
}

/** Place of the quote that ends a value; less than 0 without one. */
function closing(value: string, quote: string): number {
  for (let at = 0; at < value.length; at += 1) {
    if (value[at] === '\\' && quote === '"') at += 1;
    else if (value[at] === quote) return at;
  }
  return -1;
}
