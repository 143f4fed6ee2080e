// An MCP server that asks to log in, and the authorization server that it sends to: both of the TypeScript SDK, which
// Carrel's tests find in the folder that is the first argument. The second is how long a token lasts, in seconds.
// With a third, a secret, no clients are registered: one is known, `known`, which has that secret.
// Prints its port when it is ready.
import { createRequire } from 'node:module';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [, , modules, seconds, secret] = process.argv;
const sdk = (path) => import(pathToFileURL(join(modules, '@modelcontextprotocol/sdk/dist/esm', path)).href);
const { DemoInMemoryAuthProvider } = await sdk('examples/server/demoInMemoryOAuthProvider.js');
const { mcpAuthRouter, getOAuthProtectedResourceMetadataUrl } = await sdk('server/auth/router.js');
const { requireBearerAuth } = await sdk('server/auth/middleware/bearerAuth.js');
const { InvalidGrantError, InvalidTokenError } = await sdk('server/auth/errors.js');
const { McpServer } = await sdk('server/mcp.js');
const { StreamableHTTPServerTransport } = await sdk('server/streamableHttp.js');
const express = createRequire(join(modules, '@modelcontextprotocol/sdk/package.json'))('express');

// The demo's provider gives no refresh tokens; this one gives each of them once.
class Provider extends DemoInMemoryAuthProvider {
  given = new Map();
  refreshes = 0;

  lend(tokens, client, resource, scopes) {
    const access = this.tokens.get(tokens.access_token);
    access.expiresAt = Date.now() + 1000 * Number(seconds);
    const refresh = randomUUID();
    this.given.set(refresh, { client: client.client_id, resource, scopes });
    return { ...tokens, expires_in: Number(seconds), refresh_token: refresh };
  }

  // The router has compared the redirect URI by then, with any port, as RFC 8252 has it; the demo's provider wants it to the letter.
  authorize(client, params, response) {
    return super.authorize({ ...client, redirect_uris: [params.redirectUri] }, params, response);
  }

  async exchangeAuthorizationCode(client, code, verifier, redirect, resource) {
    const tokens = await super.exchangeAuthorizationCode(client, code, verifier);
    return this.lend(tokens, client, resource, ['mcp:tools']);
  }

  async exchangeRefreshToken(client, token, scopes, resource) {
    const known = this.given.get(token);
    if (known?.client !== client.client_id) throw new InvalidGrantError('the refresh token is not known');
    this.given.delete(token);
    this.refreshes += 1;
    const access = randomUUID();
    this.tokens.set(access, { token: access, clientId: client.client_id, scopes: known.scopes, resource, type: 'access' });
    return this.lend({ access_token: access, token_type: 'bearer', scope: known.scopes.join(' ') }, client, resource, known.scopes);
  }

  async verifyAccessToken(token) {
    const known = this.tokens.get(token);
    if (!known || known.expiresAt < Date.now()) throw new InvalidTokenError('the token is not known');
    return { token, clientId: known.clientId, scopes: known.scopes, expiresAt: Math.floor(known.expiresAt / 1000) + 1 };
  }
}

const app = express();
const listening = app.listen(0, '127.0.0.1', () => {
  const origin = `http://127.0.0.1:${listening.address().port}`;
  const mcp = new URL('/mcp', origin);
  const provider = new Provider();
  if (secret) {
    const known = { client_id: 'known', client_secret: secret, redirect_uris: ['http://127.0.0.1/callback'] };
    provider.clientsStore = { getClient: async (id) => (id === known.client_id ? known : undefined) };
  }
  app.use(express.json());
  app.use(mcpAuthRouter({ provider, issuerUrl: new URL(origin), resourceServerUrl: mcp, scopesSupported: ['mcp:tools'] }));
  app.get('/forget', (_, response) => {
    provider.tokens.clear();
    provider.given.clear();
    response.end();
  });
  const bearer = requireBearerAuth({ verifier: provider, requiredScopes: ['mcp:tools'],
                                     resourceMetadataUrl: getOAuthProtectedResourceMetadataUrl(mcp) });
  app.all('/mcp', bearer, async (request, response) => {
    const server = new McpServer({ name: 'guarded', version: '1.0.0' });
    server.registerTool('refreshes', { description: 'Counts refreshes.' }, () =>
      ({ content: [{ type: 'text', text: String(provider.refreshes) }] }));
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
    response.on('close', () => { transport.close(); server.close(); });
    await server.connect(transport);
    await transport.handleRequest(request, response, request.body);
  });
  console.log(listening.address().port);
});
