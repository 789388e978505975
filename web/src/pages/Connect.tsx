import { type FormEvent, useState } from 'react';
import { useMutation } from 'urql';

import { graphql } from '../api/generated';
import type { CloudCredentialInput } from '../api/generated/graphql';
import { refusal } from '../api/mutate';

const CONNECT = graphql(`mutation ConnectCloud($input: ConnectCloudAccountInput!) { connectCloudAccount(input: $input) { account { id } userErrors { message field } } }`);

/** Fields of a cloud's form: name, label, example; secrets are typed unseen. */
const FORMS: Record<string, { identity: string; fields: [string, string, string, 'text' | 'secret' | 'file'][] }> = {
  aws: {
    identity: 'Account id, 12 digits',
    fields: [
      ['accessKeyId', 'Access key id', 'AKIA…', 'text'],
      ['secretAccessKey', 'Secret access key', '', 'secret'],
      ['roleArn', 'Role to take on (optional)', 'arn:aws:iam::…:role/mikrocloud', 'text'],
      ['externalId', 'External id of the role (optional)', '', 'text'],
    ],
  },
  azure: {
    identity: 'Subscription id',
    fields: [
      ['tenantId', 'Tenant id', '00000000-…', 'text'],
      ['clientId', 'Client id', '00000000-…', 'text'],
      ['clientSecret', 'Client secret', '', 'secret'],
    ],
  },
  gcp: { identity: 'Project id', fields: [['serviceAccountKey', 'Key of a service account (JSON file)', '', 'file']] },
};

/** Connects an account at a cloud. Credentials go in and are never shown again. */
export function Connect({ clouds, done }: { clouds: { name: string; title: string; regions: { neutral: string }[] }[]; done: () => void }) {
  const offered = clouds.filter((cloud) => cloud.name in FORMS);
  const [cloud, setCloud] = useState(offered[0]?.name ?? '');
  const [values, setValues] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [, connect] = useMutation(CONNECT);
  const form = FORMS[cloud];
  if (form === undefined) return null;
  const value = (name: string) => values[name] ?? '';
  const set = (name: string, text: string) => setValues({ ...values, [name]: text });
  const optional = (name: string) => (value(name).trim() === '' ? null : value(name).trim());
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    const credentials: Record<string, CloudCredentialInput> = {
      aws: { aws: { accessKeyId: value('accessKeyId').trim(), secretAccessKey: value('secretAccessKey').trim(), roleArn: optional('roleArn'), externalId: optional('externalId') } },
      azure: { azure: { tenantId: value('tenantId').trim(), clientId: value('clientId').trim(), clientSecret: value('clientSecret').trim() } },
      gcp: { gcp: { serviceAccountKey: value('serviceAccountKey') } },
    };
    const input = { cloud, name: optional('name'), identity: value('identity').trim(), region: optional('region'), credential: credentials[cloud] ?? {} };
    const failed = refusal(await connect({ input }));
    setBusy(false);
    setProblem(failed);
    if (failed === undefined) {
      setValues({});
      done();
    }
  };
  return (
    <form className="card stack" style={{ maxWidth: 560 }} onSubmit={(event) => void submit(event)}>
      <h2>Connect an account</h2>
      <label className="field"><span>Cloud</span>
        <select value={cloud} onChange={(event) => { setCloud(event.target.value); setValues({}); setProblem(undefined); }}>{offered.map(({ name, title }) => <option key={name} value={name}>{title}</option>)}</select>
      </label>
      <p className="small">The role that it needs, to copy: <code>mikrocloud clouds policy {cloud}</code>. What is missing is named afterwards, permission by permission.</p>
      <label className="field"><span>{form.identity}</span><input value={value('identity')} onChange={(event) => set('identity', event.target.value)} required autoComplete="off" spellCheck={false} /></label>
      {form.fields.map(([name, label, example, kind]) => (
        <label key={name} className="field"><span>{label}</span>
          {kind === 'file'
            ? <input type="file" accept="application/json,.json" required onChange={(event) => void event.target.files?.[0]?.text().then((text) => set(name, text))} />
            : <input type={kind === 'secret' ? 'password' : 'text'} value={value(name)} placeholder={example} required={!label.includes('optional')} onChange={(event) => set(name, event.target.value)} autoComplete={kind === 'secret' ? 'new-password' : 'off'} spellCheck={false} />}
        </label>
      ))}
      <label className="field"><span>Region</span>
        <select value={value('region')} onChange={(event) => set('region', event.target.value)}>
          <option value="">the usual one</option>
          {offered.find(({ name }) => name === cloud)?.regions.map(({ neutral }) => <option key={neutral}>{neutral}</option>)}
        </select>
      </label>
      <label className="field"><span>Name (optional)</span><input value={value('name')} onChange={(event) => set('name', event.target.value)} placeholder={cloud} autoComplete="off" /></label>
      {problem !== undefined && <p className="problem" role="alert">{problem}</p>}
      <p><button type="submit" className="button primary" disabled={busy}>{busy ? 'Connecting …' : 'Connect'}</button></p>
    </form>
  );
}
