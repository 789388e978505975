import { useState } from 'react';

/** Copies a text, also where a page over plain http may not use the clipboard's own interface. */
export function Copy({ text, what }: { text: string; what: string }) {
  const [state, setState] = useState<'' | 'copied' | 'failed'>('');
  const copy = async () => {
    const done = (await navigator.clipboard?.writeText(text).then(() => true, () => false)) || copyBySelection(text);
    setState(done ? 'copied' : 'failed');
    setTimeout(() => setState(''), 2_000);
  };
  return (
    <button type="button" className="link small" onClick={() => void copy()} aria-label={`Copy ${what}`}>
      {state === '' ? 'copy' : state === 'copied' ? 'copied' : 'select it and press Ctrl-C'}
    </button>
  );
}

function copyBySelection(text: string): boolean {
  const field = document.createElement('textarea');
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  return done;
}
