/** The lines of a log, as they come. */

/** A line as the API gives it. */
export interface Line {
  number: number;
  stream: 'SYSTEM' | 'BUILD' | 'STDOUT' | 'STDERR';
  text: string;
  at: string;
}

/** Words that mark the line at which something went wrong. */
const ERROR = /\b(?:(?:error|exception|fatal|panicked|failed)\b|ERR!)/i;

/** Lines by number, without gaps or doubles, and who wants to know of new ones. */
export class Lines {
  readonly all: Line[] = [];
  private listeners = new Set<() => void>();
  private due = false;
  private version = 0;

  /** Adds a line; one that is known is left out. */
  add(line: Line): void {
    const last = this.all.at(-1);
    if (last !== undefined && line.number <= last.number) return;
    this.all.push(line);
    this.change();
  }

  /** Number of the last line; 0 without any. */
  get last(): number {
    return this.all.at(-1)?.number ?? 0;
  }

  /** Counts up with every change that was told. */
  snapshot = (): number => this.version;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Thousands of lines a second are one change a frame. */
  private change(): void {
    if (this.due) return;
    this.due = true;
    const frame = globalThis.requestAnimationFrame ?? ((call: () => void) => setTimeout(call, 16));
    frame(() => {
      this.due = false;
      this.version += 1;
      for (const listener of this.listeners) listener();
    });
  }
}

/** Whether a line tells of an error. */
export function isError(line: Line): boolean {
  return ERROR.test(line.text);
}

/** Rows of a window over rows of one height: the first, and one behind the last. */
export function visible(top: number, height: number, row: number, count: number, beyond = 20): [number, number] {
  const first = Math.max(0, Math.min(count, Math.floor(top / row)) - beyond);
  return [first, Math.min(count, Math.ceil((top + height) / row) + beyond)];
}
