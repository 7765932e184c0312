/**
 * What a server of the bench is told by its environment. Knows nothing of what it serves.
 */
import { readFileSync } from 'node:fs';

/** Where every server of the bench listens. */
export const HOST = '127.0.0.1';

export const PORT = Number(process.env['PORT']);

/** Which of its forms a server takes: `0 enhancers`, `pipeline`, `tls` and so on are told apart by its own words. */
export const FORM = process.env['FORM'] ?? '';

/** The certificate that the bench made for TLS. */
export function certificate(): { key: Buffer; cert: Buffer } {
  const { TLS_KEY = '', TLS_CERT = '' } = process.env;
  return { key: readFileSync(TLS_KEY), cert: readFileSync(TLS_CERT) };
}
