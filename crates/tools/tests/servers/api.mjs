// An HTTP API for tests: it answers with what it saw, or as its path says. Prints its port when it is ready.
import { createServer } from 'node:http';

const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString();
    const url = new URL(request.url, 'http://local');
    const send = (status, headers, content) => {
      response.writeHead(status, headers);
      response.end(content);
    };
    const json = (status, value, headers = {}) =>
      send(status, { 'content-type': 'application/json', ...headers }, JSON.stringify(value));
    switch (url.pathname) {
      case '/v1/text': return send(200, { 'content-type': 'text/plain; charset=utf-8' }, 'plain ü');
      case '/v1/image': return send(200, { 'content-type': 'image/png' }, PNG);
      case '/v1/blob': return send(200, { 'content-type': 'application/zip' }, PNG);
      case '/v1/nothing': return send(204, {});
      case '/v1/busy': return json(429, { message: 'slow down, ' + request.headers['x-api-key'] }, { 'retry-after': '7' });
      case '/v1/gone': return json(404, { error: { message: 'no such thing' } });
      case '/v1/large': return send(200, { 'content-type': 'text/plain' }, 'x'.repeat(1 << 20));
      case '/v1/endless': return response.writeHead(200, { 'content-type': 'application/json' }).write('[');
      case '/v1/silent': return;
      case '/v1/broken': return request.socket.destroy();
      case '/v1/away': return send(302, { location: `http://127.0.0.1:${url.searchParams.get('port')}/v1/stolen` });
      case '/v1/near': return send(302, { location: '/v1/echo' });
      case '/openapi.json': return json(200, {
        openapi: '3.1.0', servers: [{ url: url.searchParams.get('server') ?? '/v1' }],
        paths: { '/echo': { get: { operationId: 'echo' } } } });
      default: return json(200, { method: request.method, url: request.url, headers: request.headers, body });
    }
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
