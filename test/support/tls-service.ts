/**
 * The built service with TLS: its files, as an operator has them, and clients that trust it.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { Certificate } from './certificates.js';
import { TestClient } from './line-client.js';
import { type Service, startService } from './service.js';
import { temporaryFolder } from './temporary-folder.js';

/** The files of TLS, in a folder of the test's own, and the settings that name them. */
export class TlsFiles {
  readonly key: string;
  readonly cert: string;

  constructor(readonly folder = temporaryFolder()) {
    this.key = join(folder, 'key.pem');
    this.cert = join(folder, 'cert.pem');
  }

  get settings(): { TLS_KEY_FILE: string; TLS_CERT_FILE: string } {
    return { TLS_KEY_FILE: this.key, TLS_CERT_FILE: this.cert };
  }

  write({ key, cert }: Certificate): this {
    writeFileSync(this.key, key);
    writeFileSync(this.cert, cert);
    return this;
  }

  /** Another file beside them. */
  add(name: string, content: string | Buffer): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }
}

/** Starts the service with TLS, and a log as JSON. */
export function startTlsService(files: TlsFiles, env: Record<string, string> = {}): Service {
  return startService({ LOG_FORMAT: 'json', LOCALE: 'en', ...files.settings, ...env });
}

/** Connects with TLS; whose certificate it is, is for the test to say. */
export async function connectTls(
  service: Service,
  options: ConnectionOptions = {},
): Promise<TestClient> {
  const port = await service.port();
  const to = { host: '127.0.0.1', port, rejectUnauthorized: false, allowHalfOpen: true };
  const socket = connect({ ...to, ...options });
  const client = TestClient.of(socket);
  await once(socket, 'secureConnect');
  return client;
}

/** The common name of the certificate that a new client is shown. */
export async function shownName(service: Service): Promise<unknown> {
  const client = await connectTls(service);
  const { subject } = (client.socket as TLSSocket).getPeerCertificate();
  client.socket.destroy();
  return subject.CN;
}

/** What the log tells of an event so far. */
export function told(service: Service, event: string): Record<string, unknown>[] {
  return service.stdout
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((fields) => fields['event'] === event);
}
