/**
 * A certificate that signs itself, for the TLS servers of the bench.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { isInstalled } from './programs.js';

/** The environment that tells the servers where it is; `undefined` without openssl. */
export function certificateIn(folder: string): Readonly<Record<string, string>> | undefined {
  if (!isInstalled('openssl')) return undefined;
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const files = ['-keyout', key, '-out', cert];
  execFileSync('openssl', ['req', '-x509', '-subj', '/CN=localhost', ...curve, ...files], {
    stdio: 'ignore',
  });
  return { TLS_KEY: key, TLS_CERT: cert };
}
