import { Dialog } from '@base-ui/react/dialog';
import { type FormEvent, type ReactNode, useState } from 'react';

/** A button that asks before it acts. With `typed`, a text has to be typed first: what cannot be undone. */
export function Confirm({ label, title, children, act, action, typed, danger = false, disabled }: {
  label: string;
  title: string;
  children: ReactNode;
  act: () => Promise<string | undefined>;
  action: string;
  typed?: string;
  danger?: boolean;
  /** Reason for which it cannot be done now. */
  disabled?: string | undefined;
}) {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    const failed = await act();
    setBusy(false);
    setProblem(failed);
    if (failed === undefined) setOpen(false);
  };
  if (disabled !== undefined) {
    return <button type="button" className="button" disabled title={disabled}>{label}<span className="visually-hidden"> ({disabled})</span></button>;
  }
  return (
    <Dialog.Root open={open} onOpenChange={(next) => { setOpen(next); setProblem(undefined); setText(''); }}>
      <Dialog.Trigger className={`button${danger ? ' danger' : ''}`}>{label}</Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className="popup">
          <Dialog.Title>{title}</Dialog.Title>
          <Dialog.Description render={<div className="stack" />}>{children}</Dialog.Description>
          <form className="stack" onSubmit={(event) => void submit(event)}>
            {typed !== undefined && (
              <label className="field"><span>Type {typed} to go on</span><input value={text} onChange={(event) => setText(event.target.value)} autoComplete="off" /></label>
            )}
            {problem !== undefined && <p className="problem" role="alert">{problem}</p>}
            <div className="row">
              <button type="submit" className={`button ${danger ? 'danger' : 'primary'}`} disabled={busy || (typed !== undefined && text !== typed)}>{action}</button>
              <Dialog.Close className="button">Keep it as it is</Dialog.Close>
            </div>
          </form>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
