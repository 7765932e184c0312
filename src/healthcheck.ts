/**
 * Whether the service in this container lives, as its image asks: exit code 0 if so. Reads the service's own variables, and knows
 * nothing of its protocol but how one takes leave.
 */
import { get } from 'node:http';
import { connect } from 'node:net';

const { HOST, PORT, MANAGEMENT_HOST, MANAGEMENT_PORT } = process.env;

/** Less than the image's own timeout, so that it is said why. */
const TIMEOUT_MS = 4_000;

/** The management port says it, whatever the other one demands of its clients. */
function askManagement(port: string): void {
  const request = get({ host: MANAGEMENT_HOST || '127.0.0.1', port, path: '/livez' });
  request.on('response', ({ statusCode }) =>
    finish(statusCode === 200 ? undefined : `/livez says ${statusCode}`),
  );
  request.on('error', (error) => finish(error.message));
}

/**
 * Whatever comes back is a sign of life, an end as well: the service may be full, or speak TLS, or expect a proxy. From one that
 * hangs nothing comes, though the kernel lets everybody in.
 */
function askService(port: string): void {
  const socket = connect({ host: HOST || '127.0.0.1', port: Number(port) });
  socket.on('connect', () => socket.write('QUIT\r\n'));
  for (const sign of ['data', 'end'] as const) socket.on(sign, () => finish());
  socket.on('error', (error: NodeJS.ErrnoException) =>
    finish(error.code === 'ECONNRESET' ? undefined : error.message),
  );
}

/** @param fault why it is not well; `undefined` if it is */
function finish(fault?: string): never {
  if (fault !== undefined) console.error(fault);
  process.exit(fault === undefined ? 0 : 1);
}

setTimeout(() => finish(`nothing came in ${TIMEOUT_MS} ms`), TIMEOUT_MS);
if (MANAGEMENT_PORT) askManagement(MANAGEMENT_PORT);
else askService(PORT || '45000');
