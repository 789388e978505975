import { type KeyboardEvent, useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';

import { isError, type Line, type Lines, visible } from './lines';
import { plain, runs } from './sgr';

/** Height of a line, pixels; look/log.css has the same. */
const ROW = 24;

const STREAMS = [
  ['SYSTEM', 'S', 'MikroCloud'],
  ['BUILD', 'B', 'build'],
  ['STDOUT', 'O', 'output'],
  ['STDERR', 'E', 'errors'],
] as const;

/** A log that is still written: numbered lines in a window, so that a hundred thousand are as quick as ten. */
export function Log({ lines, total, empty, name, hides = [] }: { lines: Lines; total: number; empty: string; name: string; hides?: string[] }) {
  const version = useSyncExternalStore(lines.subscribe, lines.snapshot);
  const [search, setSearch] = useState('');
  const [hidden, setHidden] = useState<ReadonlySet<string>>(() => new Set(hides));
  const [following, setFollowing] = useState(location.hash === '');
  const [window_, setWindow] = useState<[number, number]>([0, 60]);
  const [at, setAt] = useState(() => Number(/^#L(\d+)/.exec(location.hash)?.[1] ?? 0));
  const frame = useRef<HTMLDivElement>(null);

  const shown = useMemo(
    () => (hidden.size === 0 ? lines.all : lines.all.filter((line) => !hidden.has(line.stream))),
    // The array grows in place; its version tells when.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [lines, hidden, version, lines.all.length],
  );
  const found = useMemo(() => {
    const wanted = search.trim().toLowerCase();
    return wanted === '' ? [] : shown.filter((line) => plain(line.text).toLowerCase().includes(wanted));
  }, [shown, search, version]); // eslint-disable-line react-hooks/exhaustive-deps
  const errors = useMemo(() => shown.filter(isError), [shown, version]); // eslint-disable-line react-hooks/exhaustive-deps

  const look = () => {
    const element = frame.current;
    if (element === null) return;
    setWindow(visible(element.scrollTop, element.clientHeight, ROW, shown.length));
  };
  useLayoutEffect(() => {
    const element = frame.current;
    if (element !== null && following) element.scrollTop = element.scrollHeight;
    look();
  }, [version, following, shown]); // eslint-disable-line react-hooks/exhaustive-deps

  const goTo = (number: number) => {
    const element = frame.current;
    const index = shown.findIndex((line) => line.number >= number);
    if (element === null || index < 0) return;
    setFollowing(false);
    setAt(shown[index]?.number ?? number);
    element.scrollTop = Math.max(0, index * ROW - element.clientHeight / 3);
    look();
  };
  // The line that the address names is gone to once, as soon as it came.
  const isThere = at > 0 && lines.last >= at;
  useEffect(() => {
    if (isThere) goTo(at);
  }, [isThere]); // eslint-disable-line react-hooks/exhaustive-deps

  const next = (among: Line[], step: number) => {
    if (among.length === 0) return;
    const present = among.findIndex((line) => line.number >= at);
    const index = among[present]?.number === at ? present + step : step > 0 ? present : present - 1;
    goTo(among[(index + among.length) % among.length]?.number ?? 0);
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key === 'Enter') next(found, event.shiftKey ? -1 : 1);
  };
  const scrolled = () => {
    const element = frame.current;
    if (element === null) return;
    look();
    const isAtEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - ROW;
    if (following !== isAtEnd) setFollowing(isAtEnd);
  };
  const download = () => {
    const text = lines.all.map((line) => `${line.text}\n`).join('');
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
    link.download = `${name}.log`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  };

  const [first, end] = [Math.min(window_[0], shown.length), Math.min(window_[1], shown.length)];
  const isFound = new Set(found.slice(0, 100_000).map((line) => line.number));
  return (
    <section className="log" aria-label="Log">
      <div className="log-bar">
        <input type="search" aria-label="Find in the log" placeholder="Find" value={search} onChange={(event) => setSearch(event.target.value)} onKeyDown={keys} />
        {search !== '' && <span className="small" role="status">{found.length} found</span>}
        {STREAMS.map(([stream, letter, title]) => (
          <label key={stream} title={`Lines of ${title}`}>
            <input
              type="checkbox"
              checked={!hidden.has(stream)}
              onChange={(event) => {
                const changed = new Set(hidden);
                if (event.target.checked) changed.delete(stream);
                else changed.add(stream);
                setHidden(changed);
              }}
            />
            <span><span aria-hidden="true">{letter}</span><span className="visually-hidden">{title}</span></span>
          </label>
        ))}
        <label>
          <input type="checkbox" checked={following} onChange={(event) => setFollowing(event.target.checked)} /> follow
        </label>
        {errors.length > 0 && (
          <button type="button" className="link" onClick={() => next(errors, 1)}>
            {errors.length === 1 ? 'the error' : `next of ${errors.length} errors`}
          </button>
        )}
        <span className="grow" />
        <span className="small number" role="status">{lines.all.length < total ? `${lines.all.length} of ${total} lines` : `${lines.all.length} lines`}</span>
        <button type="button" className="link" onClick={download} disabled={lines.all.length === 0}>Download</button>
      </div>
      {/* Keys scroll it, so it takes the focus. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="log-lines" ref={frame} onScroll={scrolled} tabIndex={0} role="group" aria-label="Lines of the log">
        {shown.length === 0 && <p className="quiet" style={{ padding: 16 }}>{empty}</p>}
        <div style={{ height: shown.length * ROW }} />
        {shown.slice(first, end).map((line, index) => (
          <Row key={line.number} line={line} top={(first + index) * ROW} isFound={isFound.has(line.number) || line.number === at} />
        ))}
      </div>
    </section>
  );
}

function Row({ line, top, isFound }: { line: Line; top: number; isFound: boolean }) {
  const letter = STREAMS.find(([stream]) => stream === line.stream)?.[1];
  const classes = ['log-line', line.stream, isFound ? 'found' : isError(line) ? 'error' : ''].join(' ').trim();
  return (
    <div className={classes} style={{ top }}>
      <a href={`#L${line.number}`} id={`L${line.number}`} title={line.at}>{line.number}</a>
      <span className="stream" aria-hidden="true">{letter}</span>
      <span>{runs(line.text).map((run, index) => (run.look === '' ? run.text : <span key={index} className={run.look}>{run.text}</span>))}</span>
    </div>
  );
}
