// Runs on each request of a visitor: the key of the host names the deployment that is shown.
import cf from 'cloudfront';

const hosts = cf.kvs();

async function handler(event) {
  const request = event.request;
  let shown;
  try {
    shown = await hosts.get(request.headers.host.value, { format: 'json' });
  } catch (error) {
    return {
      statusCode: 404,
      statusDescription: 'Not Found',
      headers: { 'content-type': { value: 'text/plain' }, 'cache-control': { value: 'no-store' } },
      body: 'Nothing is deployed here.\n',
    };
  }
  const index = request.uri.endsWith('/') ? 'index.html' : '';
  request.uri = '/sites/' + shown.d + request.uri + index;
  return request;
}
