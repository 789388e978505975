import { Copy } from './Copy';

/** A secret that is shown once. */
export function Secret({ what, text, done }: { what: string; text: string; done: () => void }) {
  return (
    <section className="card stack" aria-label={what} role="status">
      <p><strong>{what}</strong>: it is shown this once.</p>
      <p className="row"><code>{text}</code><Copy text={text} what={what} /></p>
      <p><button type="button" className="button" onClick={done}>I have kept it</button></p>
    </section>
  );
}
